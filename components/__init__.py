"""Pulumi components: each turns a part of the resolved environment into resources."""
