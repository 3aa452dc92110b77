"""The building blocks of declarations: quantities, addresses, objects. Kinds are in ``config.kinds``."""
