"""Checks of ``istioctl analyze`` on a mesh's objects, without ``istioctl`` and without a cluster."""
