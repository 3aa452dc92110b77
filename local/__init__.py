"""The embedded default: an engine, a Kubernetes control plane and provider plugins, from package registries alone.

Nothing outside this folder knows about it.
"""
