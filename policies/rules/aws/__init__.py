"""Controls of AWS Foundational Security Best Practices for the services in use, one module for each subject."""
