"""The rows of the table, a file for each family."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ..row import AnyRow, Row
from . import calls, chain, logistic, mlp, processes, products, reductions, shapes, softmax

FAMILIES: dict[str, Sequence[AnyRow]] = {
    "logistic": logistic.ROWS,
    "calls": calls.ROWS,
    "chain": chain.ROWS,
    "softmax": softmax.ROWS,
    "mlp": mlp.ROWS,
    "reductions": reductions.ROWS,
    "products": products.ROWS,
    "processes": processes.ROWS,
    "shapes": shapes.ROWS,
}


def all_rows() -> list[AnyRow]:
    """Every row, in the order of the table."""
    return [row for rows in FAMILIES.values() for row in rows]


def find(name: str) -> Row:
    """The row of that name that is timed call by call; KeyError where there is none."""
    for row in all_rows():
        if row.name == name and isinstance(row, Row):
            return row
    raise KeyError(f"row: found {name!r}; expected one of {[row.name for row in all_rows()]}")


def choose(patterns: Sequence[str]) -> list[AnyRow]:
    """The rows that a name, a family or a pattern with `*` names; all without patterns.

    `variants` names every variant. Raises ValueError for a pattern that names no row.
    """
    if not patterns:
        return all_rows()
    chosen: list[AnyRow] = []
    for pattern in patterns:
        found = [row for family, rows in FAMILIES.items() for row in rows
                 if pattern == family or fnmatchcase(row.name, pattern)
                 or (pattern == "variants" and getattr(row, "base", ""))]  # fmt: skip
        if not found:
            names = ", ".join(row.name for row in all_rows())
            raise ValueError(f"--rows: found {pattern!r}; expected one of {', '.join(FAMILIES)}, "
                             f"variants, {names}")  # fmt: skip
        chosen += [row for row in found if row not in chosen]
    return chosen
