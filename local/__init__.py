"""The embedded default: an engine, a Kubernetes control plane and provider plugins, from package registries alone.

No code outside this folder depends on it, except the command line.
"""
