"""The service mesh: who is who, who may call whom, and what its charts are told."""
