"""What an environment needs of a cluster, and what a cluster lacks; nothing here changes a cluster."""
