"""What each environment is: models, quantities, and the derivation of staging from production. No network, no Pulumi."""
