"""What the coverage tests share: the record of what was tested, from which the table is printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest


@dataclass
class Covered:
    """The cells that one test has seen: (operation, layout), each with its number of dtypes.

    undefined: operation -> reason -> how often it was met.
    """

    tested: dict[tuple[str, str], set[object]] = field(default_factory=dict)
    undefined: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, operation: str, layout: str, dtypes: object) -> None:
        """An operation on operands of these dtypes was compared in this layout."""
        self.tested.setdefault((operation, layout), set()).add(dtypes)

    def refuse(self, operation: str, reason: str) -> None:
        """The operation does not take these operands, for a reason that was checked."""
        reason = re.sub(r"(found) \w+, \w+;|(not) \w+$", r"\1\2 ...;", reason)
        reasons = self.undefined.setdefault(operation, {})
        reasons[reason] = reasons.get(reason, 0) + 1

    def holes(
        self, expected: Mapping[str, Iterable[object]], layouts: Iterable[str]
    ) -> list[tuple[str, str, object]]:
        """The cells of `expected` (operation -> its dtypes) that no test has filled."""
        return [
            (operation, layout, dtypes)
            for operation, cases in expected.items()
            for dtypes in cases
            for layout in layouts
            if dtypes not in self.tested.get((operation, layout), ())
        ]


@pytest.fixture
def covered(record_property: Callable[[str, object], None]) -> Iterator[Covered]:
    """The record of a test; `tests/conftest.py` prints the sum of all records as a table."""
    record = Covered()
    yield record
    record_property(
        "coverage",
        {
            "tested": [(*cell, len(dtypes)) for cell, dtypes in record.tested.items()],
            "undefined": [
                (operation, reason, times)
                for operation, reasons in record.undefined.items()
                for reason, times in reasons.items()
            ],
        },
    )
