"""Measurements: `python -m tetractys.tools.bench` prints the table; `--help` names its parts.

Every figure is a ratio taken side by side in one run: fresh processes for start-up, interleaved
rounds for the rest. Peers (NumPy always, Numba and JAX where they are installed) run the same work.
"""
