"""YAML and kubeconfig files, read with the line of each value."""
