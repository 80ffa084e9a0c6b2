"""Random functions and random arguments: the trampoline and the Python path agree in every bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tetractys.runtime import jit
from tetractys.runtime.callable import make_callable
from tetractys.runtime.cell import Cell
from tetractys.runtime.spec import ErrorEntry, KernelSpec, Operand

BODIES = ("fadd", "fsub", "fmul")
ERRORS = (
    ErrorEntry("ValueError", "sizes {0}, {1}, dimension {2}"),
    ErrorEntry("IndexError", "element {0}"),
)


def random_layout(rng: np.random.Generator, value: np.ndarray) -> Any:
    """The same values in some layout, or as something that is no array."""
    kind = rng.integers(7)
    if kind == 1 and value.ndim:
        return np.asfortranarray(value)
    if kind == 2 and value.ndim:
        return np.repeat(value, 2, axis=-1)[..., ::2]
    if kind == 3 and value.ndim:
        return value[::-1].copy()[::-1]
    if kind == 4:
        return value.astype(">f8")
    if kind == 5 and value.ndim == 0:
        return float(value)
    if kind == 6:
        value.flags.writeable = False
    return value


def random_case(rng: np.random.Generator, ir: Any) -> tuple[KernelSpec, str]:
    """A spec and its kernel's text."""
    nd = int(rng.integers(3))
    n_in, n_shared = (int(n) for n in rng.integers(1, 4, 2))
    n_out, n_upd = int(rng.integers(0, 4)), int(rng.integers(0, n_shared + 1))
    total = n_in + n_shared
    results = [
        f"  %r = {rng.choice(BODIES)} double %a{rng.integers(total)}, %a{rng.integers(total)}"
        for _ in range(n_out + n_upd)
    ]
    forms = ["list", "dict"] + ["one"] * (n_out == 1) + ["none"] * (n_out == 0)
    form: Any = str(rng.choice(forms))
    spec = KernelSpec(
        inputs=tuple(Operand("float64", nd, (), f"x{k}") for k in range(n_in)),
        shareds=tuple(Operand("float64", nd) for _ in range(n_shared)),
        outputs=tuple(Operand("float64", nd) for _ in range(n_out)),
        updates=tuple(Operand("float64", nd) for _ in range(n_upd)),
        update_cells=tuple(int(k) for k in rng.permutation(n_shared)[:n_upd]),
        output_form=form,
        output_keys=tuple(f"k{k}" for k in range(n_out)) if form == "dict" else (),
        errors=ERRORS,
        gil_elements=int(rng.choice([0, 20_000])),
    )
    return spec, ir(nd, total, results)


def outcome(function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """What a call gives, as comparable bytes, or its error."""
    try:
        answer = function(*args, **kwargs)
    except (ValueError, IndexError) as error:
        return type(error), str(error)
    if isinstance(answer, dict):
        return [(key, value.shape, value.tobytes()) for key, value in answer.items()]
    values = answer if isinstance(answer, list) else [answer]
    return [None if value is None else (value.shape, value.tobytes()) for value in values]


@pytest.mark.parametrize("seed", range(60))
def test_both_paths_agree(seed: int, ir: Any) -> None:
    rng = np.random.default_rng(seed)
    spec, text = random_case(rng, ir)
    code = jit.load(jit.compile_text(text))
    sizes = tuple(int(n) for n in rng.integers(0, 5, spec.inputs[0].ndim))
    start = [rng.normal(size=sizes) for _ in spec.shareds]
    both = [[Cell(np.array(value)) for value in start] for _ in range(2)]
    native = make_callable(spec, code, both[0], path="native")
    python = make_callable(spec, code, both[1], path="python")
    for _ in range(6):
        shape = sizes if rng.random() < 0.9 else tuple(n + 1 for n in sizes)
        values = [np.array(rng.normal(size=shape)) for _ in spec.inputs]
        if rng.random() < 0.15 and values[0].size:
            values[0].flat[-1] = 666.0
        given = [random_layout(rng, value) for value in values]
        split = int(rng.integers(len(given) + 1))
        kwargs = {f"x{k}": given[k] for k in range(split, len(given))}
        assert outcome(native, given[:split], kwargs) == outcome(python, given[:split], kwargs)
        for one, two in zip(*both, strict=True):
            assert one.get().tobytes() == two.get().tobytes()
            assert one.held is None and not one.lock.locked()
