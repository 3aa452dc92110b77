"""Rules of the service mesh: identities, authorization, TLS and chart values."""
