"""One folder or file for each kind of component: its resources, configuration and monitoring."""
