"""Measurements: `python -m tetractys.tools.bench table` prints the table of issue 3's bars.

Ours beside every installed peer (NumPy, Numba, JAX, PyTorch, PyTensor), in one run of interleaved
rounds. `rows/` says what is measured, `driver.py` and `worker.py` how, `report.py` what is held.
"""
