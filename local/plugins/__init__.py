"""Provider plugins for machines that cannot download the official ones; the engine finds them on PATH.

They implement ``pulumirpc.ResourceProvider``; recordings of the official plugins are their tests
(``tests/local/fidelity``).
"""
