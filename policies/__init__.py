"""Rules on single resources: whether an environment may become what an update would make of it.

The package imports nothing of the program. It reads the declaration from the inputs of the stack's ``Environment``
component, which the engine shows to the pack before that component's children.
"""
