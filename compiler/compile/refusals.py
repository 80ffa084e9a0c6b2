"""Errors of passes in the user's terms: what is not supported, the Apply, the line that wrote it.

A pass refuses what it cannot do by an exception, with its words in a diagnostic beside a dump of
the IR. The user gets the words; in DebugMode the operation too, as a note.
"""

from __future__ import annotations

from typing import NoReturn

from xdsl.ir import Operation
from xdsl.utils.exceptions import DiagnosticException

from tetractys.compile.failures import describe
from tetractys.compile.request import Request
from tetractys.graph import format_site
from tetractys.graph.site import Site
from tetractys.passes.faults import emitted_message, first_location, operation_at_fault


class CompileError(RuntimeError):
    """A pass that failed in a way that it did not foresee: a bug of the compiler."""


def refuse(error: Exception, name: str, request: Request, mode: str) -> NoReturn:
    """Raises what `error`, raised by the pass `name`, says to the user.

    A NotImplementedError stays one; all else is a CompileError, with the first error as its cause.
    """
    words = str(error).strip() or emitted_message(error)
    op = operation_at_fault(error)
    place = account(op, request)
    if isinstance(error, NotImplementedError | DiagnosticException) and words:
        new: Exception = NotImplementedError(f"{words}\n{place}")
        cause = error if mode == "DebugMode" else None
    else:
        found = f"{type(error).__name__}: {words}" if words else type(error).__name__
        new = CompileError(
            f"{name}: found {found} while compiling; expected the pass to succeed; this is a bug "
            f"of Tetractys: please report it\n{place}"
        )
        cause = error
    if mode == "DebugMode" and op is not None:
        new.add_note(f"{name}, at the operation\n{op}")
    raise new from cause


def account(op: Operation | None, request: Request) -> str:
    """The Applies of the line that an operation comes from, and that line."""
    site = _site(op) or request.site
    shown = [describe(node) for node in request.nodes if node.site == site]
    what = f"Apply node that cannot be compiled: {' or '.join(shown)}\n" if shown else ""
    return f"{what}Backtrace when the node is created:\n{format_site(site)}"


def _site(op: Operation | None) -> Site | None:
    """The user's line of an operation, or of the one around it."""
    while op is not None:
        location = first_location(op.location)
        if location is not None and location.line.data:
            return location.filename.data, location.line.data
        op = op.parent_op()
    return None
