"""How an environment is made: one Pulumi component resource a file. Reads plain models, decides nothing."""
