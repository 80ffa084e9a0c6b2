"""Tetractys: symbolic tensor expressions, compiled to machine code through dialects and passes of their own."""

from __future__ import annotations

if __name__ != "tetractys":  # `import compiler` from the repository root would load every class twice
    raise ImportError(f"tetractys: imported as {__name__!r}; expected 'tetractys'; write `import tetractys`")

__version__ = "0.1.0"
