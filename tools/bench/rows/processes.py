"""Start-up and compilation: measured in fresh processes, empty cache and filled cache."""

from __future__ import annotations

from ..row import ProcessRow


def _pair(name: str, title: str, task: str, of: str, empty: float, warm: float,
          made_by: str) -> tuple[ProcessRow, ...]:  # fmt: skip
    return (
        ProcessRow(f"{name}-empty", f"{title}, empty cache", task, of, False, empty, made_by),
        ProcessRow(f"{name}-warm", f"{title}, warm cache", task, of, True, warm, made_by),
    )


ROWS = (
    *_pair("startup", "whole process beyond import numpy, logistic regression", "startup",
           "logistic-400", 0.40, 0.25, "DESIGN 9's joint budget (bench startup prints it)"),
    *_pair("compile-logistic", "compile alone, logistic regression", "compile", "logistic-400",
           0.2, 0.03, "all passes; runtime's object cache"),
    *_pair("compile-mlp", "compile alone, MLP", "compile", "mlp-128",
           0.5, 0.06, "all passes; runtime's object cache"),
)  # fmt: skip
