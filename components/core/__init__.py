"""What components of all kinds share: pods, objects, secrets, certificates, configuration, networks."""
