"""What ``istioctl analyze`` would say of a mesh's objects, without ``istioctl`` and without a cluster."""
