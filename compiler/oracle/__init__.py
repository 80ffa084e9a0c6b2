"""The oracle: a plain NumPy interpreter of each level, and the comparison that judges by them.

`tensor.run` interprets level 1, `loops.run` level 2; the two share no code. `agree` compares.
"""

from __future__ import annotations

from tetractys.oracle.agreement import agree, assert_agree, difference, ulps_between

__all__ = ["agree", "assert_agree", "difference", "ulps_between"]
