"""The part of Theano's interface that the rows use, for ours and for PyTensor."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .columns import OURS, Column
from .job import Job


class TheanoAPI:
    """`function`, `shared`, `grad` and `T`; the few names that differ are looked up here."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.package: Any = importlib.import_module(column.module)
        self.T: Any = importlib.import_module(f"{column.module}.tensor")
        self.shared = self.package.shared
        self.grad = self.package.grad
        self.In = self.package.In
        self._functions: list[Any] = []

    @property
    def ours(self) -> bool:
        """Whether this is Tetractys."""
        return self.column.module == OURS

    def function(self, *arguments: Any, **options: Any) -> Any:
        """`function` on the column's number of threads."""
        if self.ours and takes_threads():
            options["threads"] = self.column.threads
        function = self.package.function(*arguments, **options)
        self._functions.append(function)
        return function

    def cross_entropy(self, logits: Any, labels: Any) -> Any:
        """The mean cross-entropy of softmax(logits) at the labels, as each would write it."""
        if self.ours:
            T = self.T
            return T.nnet.categorical_crossentropy(T.nnet.softmax(logits), labels).mean()
        log_softmax = self.T.special.log_softmax(logits, axis=-1)
        return -log_softmax[self.T.arange(labels.shape[0]), labels].mean()

    def trust(self, job: Job) -> None:
        """PyTensor at its fastest: arguments that need no checks are not checked."""
        values: Sequence[Any] = (*job.arguments, *job.keywords.values())
        if not self.ours and all(isinstance(value, np.ndarray) for value in values):
            for function in self._functions:
                function.trust_input = True


def takes_threads() -> bool:
    """Whether `tetractys.function` can be told a number of threads."""
    import inspect

    function = importlib.import_module(OURS).function
    return "threads" in inspect.signature(function).parameters
