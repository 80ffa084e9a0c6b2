"""The words of the flat block: the code generator and the runtime may not know each other, and must
agree.
"""

from __future__ import annotations

import pytest

from tetractys.passes import llvm_frame
from tetractys.runtime import spec

WORDS = (
    "HEADER_WORDS",
    "WORD_WORKSPACE",
    "WORD_EXTERNS",
    "WORD_ERROR",
    "WORD_VALUES",
    "VALUE_WORDS",
)


@pytest.mark.parametrize("word", WORDS)
def test_both_sides_count_alike(word: str) -> None:
    """Each word of the header has one number."""
    assert getattr(llvm_frame, word) == getattr(spec, word)
