"""From the error code of compiled code to a Python exception."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from tetractys.runtime.spec import ErrorEntry, KernelSpec


def exception(spec: KernelSpec, code: int, values: Sequence[int]) -> Exception:
    """The exception of error `code` (0-based index into `spec.errors`), its message filled with
    `values`.
    """
    if not 0 <= code < len(spec.errors):
        return RuntimeError(
            f"{spec.name or 'kernel'}: compiled code reported the unknown error {code}"
        )
    entry = spec.errors[code]
    kind = getattr(builtins, entry.kind, RuntimeError)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = RuntimeError
    return kind(message(entry, values))


def message(entry: ErrorEntry, values: Sequence[int]) -> str:
    """The words of an error: the message with its numbers, then where the operation was written."""
    text = entry.message.format(*values)
    if entry.file is None:
        return text
    return f"{text}\n  {entry.op or 'operation'} at {entry.file}:{entry.line}"
