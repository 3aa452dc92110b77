"""Provider plugins for machines that cannot download the official ones; found by the engine on PATH.

They speak ``pulumirpc.ResourceProvider`` and are held to what the official plugins did (``tests/local/fidelity``).
"""
