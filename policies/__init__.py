"""Whether an environment may be as it would become: rules on single resources, before anything is done.

Self-contained: imports nothing of the program. What was declared is read from the inputs of the stack's ``Environment``
component, which the engine shows to the pack before its children.
"""
