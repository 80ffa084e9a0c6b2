"""`verify_grad`: a gradient held against finite differences, with Theano's interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tetractys.gradient.reverse import grad

STEPS = {"float64": 1e-7, "float32": 3e-4}
TOLERANCES = {"float64": 1e-4, "float32": 1e-2}


class numeric_grad:
    """The gradient of f at a point by one-sided differences; `gf` is an array, or a list of them.

    f: takes the arrays of `pt`, returns a number. pt: an array or a list of arrays. eps: the step,
    by default one that fits the dtype.
    """

    type_eps = STEPS

    def __init__(
        self, f: Callable[..., Any], pt: Any, eps: float | None = None, out_type: Any = None
    ) -> None:
        self.is_single = not isinstance(pt, (list, tuple))
        dtypes = [np.asarray(p).dtype.name for p in ([pt] if self.is_single else pt)]
        points = [np.array(p) for p in ([pt] if self.is_single else pt)]
        # The most precise dtype among the points, and the step of the least precise one.
        working = "float64" if "float64" in dtypes else "float32"
        step = max(STEPS[dtype] for dtype in dtypes) if eps is None else eps
        points = [p.astype(working) for p in points]
        base = np.asarray(f(*[p.copy() for p in points]))
        self.gf: Any = [self._differences(f, points, i, base, step) for i in range(len(points))]
        if self.is_single:
            self.gf = self.gf[0]

    @staticmethod
    def _differences(
        f: Callable[..., Any], points: list[np.ndarray], which: int, base: np.ndarray, step: float
    ) -> np.ndarray:
        result = np.empty_like(points[which])
        for place in np.ndindex(result.shape):
            moved = [p.copy() for p in points]
            moved[which][place] += step
            result[place] = (np.asarray(f(*moved)) - base) / step
        return result

    @staticmethod
    def abs_rel_err(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """|a - b|, and that relative to the sum of magnitudes."""
        absolute = np.abs(a - b)
        return absolute, absolute / np.maximum(np.abs(a) + np.abs(b), 1e-8)

    def abs_rel_errors(self, g_pt: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        """The errors of each gradient in `g_pt`; raises ValueError where shapes differ."""
        found = g_pt if isinstance(g_pt, (list, tuple)) else [g_pt]
        wanted = [self.gf] if self.is_single else self.gf
        if len(found) != len(wanted):
            raise ValueError("argument has wrong number of elements", len(found))
        errors = []
        for number, (a, b) in enumerate(zip(found, wanted)):
            if a.shape != b.shape:
                raise ValueError(f"argument element {number} has wrong shape {(a.shape, b.shape)}")
            errors.append(self.abs_rel_err(a, b))
        return errors

    def max_err(self, g_pt: Any, abs_tol: float, rel_tol: float) -> tuple[int, int, float, float]:
        """(argument, flat position, absolute error, relative error) where `g_pt` is worst."""
        worst: list[tuple[float, int, int, float, float]] = []
        for number, (absolute, relative) in enumerate(self.abs_rel_errors(g_pt)):
            for name, error in (("abs_err", absolute), ("rel_err", relative)):
                if not np.all(np.isfinite(error)):
                    raise ValueError(f"{name} not finite", repr(error))
            if absolute.size == 0:
                continue
            scaled = np.minimum(absolute / abs_tol, relative / rel_tol).ravel()
            place = int(scaled.argmax())
            errors = float(absolute.flat[place]), float(relative.flat[place])
            worst.append((float(scaled[place]), number, place, *errors))
        if not worst:
            return 0, 0, 0.0, 0.0
        return max(worst, key=lambda row: row[0])[1:]


class GradientError(Exception):
    """A gradient that finite differences contradict."""

    def __init__(
        self, arg: int, err_pos: int, shape: tuple[int, ...], val1: float, val2: float,
        abs_err: float, rel_err: float, abs_tol: float, rel_tol: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.arg, self.err_pos, self.shape = arg, err_pos, shape
        self.val1, self.val2 = val1, val2
        self.abs_err, self.rel_err = abs_err, rel_err
        self.abs_tol, self.rel_tol = abs_tol, rel_tol

    def __str__(self) -> str:
        return (
            "GradientError: numeric gradient and analytic gradient exceed tolerance:\n"
            f"        At position {self.err_pos} of argument {self.arg} with shape {self.shape},\n"
            f"            val1 = {self.val1:f}      ,  val2 = {self.val2:f}\n"
            f"            abs. error = {self.abs_err:f},  abs. tolerance = {self.abs_tol:f}\n"
            f"            rel. error = {self.rel_err:f},  rel. tolerance = {self.rel_tol:f}\n"
            f"Exception args: {', '.join(str(arg) for arg in self.args)}"
        )


def verify_grad(
    fun: Callable[..., Any],
    pt: Sequence[Any],
    n_tests: int = 2,
    rng: Any = None,
    eps: float | None = None,
    out_type: Any = None,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
    mode: Any = None,
    cast_to_output_type: bool = False,
    no_debug_ref: bool = True,
) -> None:
    """Raises GradientError where the gradient of `fun` at `pt` is not that of finite differences.

    fun: takes symbolic variables and returns one. pt: a list of floating-point arrays. What is
    differentiated is sum(u * fun(...)) for n_tests random u, drawn from `rng` (a RandomState, or
    anything with `rand`). eps: the step of the differences. abs_tol, rel_tol: an error must exceed
    both; by default they fit the least precise dtype among the inputs.
    """
    points = _points(pt)
    if rng is None:
        raise TypeError(
            "rng should be a valid instance of numpy.random.RandomState. You may want to use "
            "theano.tests.unittest_tools.verify_grad instead of theano.gradient.verify_grad."
        )
    tolerance = max(TOLERANCES[p.dtype.name] for p in points)
    absolute = tolerance if abs_tol is None else abs_tol
    relative = tolerance if rel_tol is None else rel_tol
    cost_fn, grad_fn, redraw = _functions(fun, points, rng, mode, cast_to_output_type)
    for _ in range(n_tests):
        redraw()
        try:
            numeric = numeric_grad(cost_fn, [p.copy() for p in points], eps, out_type)
            analytic = grad_fn(*[p.copy() for p in points])
            _compare(numeric, analytic, absolute, relative)
        except Exception as error:
            error.args += (
                "\nThe error happened with the following inputs:", points,
                "\nThe value of eps is:", eps, "\nThe out_type is:", out_type,
            )  # fmt: skip
            raise


verify_grad.E_grad = GradientError  # type: ignore[attr-defined]


def _points(pt: Sequence[Any]) -> list[np.ndarray]:
    assert isinstance(pt, (list, tuple)), "verify_grad: pt must be a list of arrays"
    points = [np.array(p) for p in pt]
    for number, point in enumerate(points):
        if point.dtype.name not in STEPS:
            raise TypeError(
                "verify_grad can work only with floating point inputs, but input "
                f'{number} has dtype "{point.dtype}".'
            )
    return points


def _functions(
    fun: Callable[..., Any], points: list[np.ndarray], rng: Any, mode: Any, cast_projection: bool
) -> tuple[Callable[..., Any], Callable[..., Any], Callable[[], None]]:
    """The compiled cost and gradients, and what draws another random projection."""
    from tetractys import function, shared
    from tetractys import tensor as T

    inputs = [
        T.TensorType(p.dtype, [size == 1 for size in p.shape])(f"input {i}")
        for i, p in enumerate(points)
    ]
    output = fun(*inputs)
    if isinstance(output, (list, tuple)):
        raise NotImplementedError("cant (yet) autotest gradient of fun with multiple outputs")
    options = {"allow_input_downcast": True, "on_unused_input": "ignore", "mode": mode}
    value = np.asarray(function(inputs, output, name="gradient.py fwd", **options)(*points))
    dtype = "float32" if cast_projection and output.dtype == "float32" else "float64"

    def draw() -> np.ndarray:
        return np.asarray(rng.rand(*value.shape) + 0.5, dtype)

    flags = output.broadcastable
    projection = shared(draw(), name="random_projection", broadcastable=flags)
    cost = T.sum(projection * output)
    gradients = grad(cost, inputs, disconnected_inputs="ignore")
    return (
        function(inputs, cost, name="gradient.py cost", **options),
        function(inputs, gradients, name="gradient.py symbolic grad", **options),
        lambda: projection.set_value(draw()),
    )


def _compare(
    numeric: numeric_grad, analytic: list[np.ndarray], abs_tol: float, rel_tol: float
) -> None:
    arg, place, abs_err, rel_err = numeric.max_err(analytic, abs_tol, rel_tol)
    if abs_err > abs_tol and rel_err > rel_tol:
        found, wanted = analytic[arg], numeric.gf[arg]
        raise GradientError(
            arg, place, found.shape, float(found.flat[place]), float(wanted.flat[place]),
            abs_err, rel_err, abs_tol, rel_tol,
        )  # fmt: skip
