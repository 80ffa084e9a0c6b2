"""Every elementwise operation, compiled as scalars and as vectors, against its NumPy reference."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects import func
from xdsl.ir import Block, Region

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import types
from tetractys.dialects.build import build
from tetractys.dialects.scalar_table import TABLE, default_props, dtype_cases, evaluate
from tetractys.dialects.signature import DTYPES, ElemwiseSignature, is_float
from tetractys.passes import llvm_scalars
from tetractys.passes.expand_math import EXPANSIONS
from tetractys.runtime import blas, jit
from tetractys.tools.scalar_loop import Array, ScalarLoop, operation_function

ADDRESSES = {
    name: blas.address(name)
    for name in ("tt_sin", "tt_cos", "tt_tan", "sin", "sinf", "cosf", "tanf")
}
MIXED = (ew.ADD, ew.TRUE_DIV, ew.MOD, ew.LT, ew.SECOND, ew.SWITCH, ew.SHL)
"""Tried on every pair of dtypes, one for each way to convert operands; others on equal dtypes."""
NO_PROPS: dict[str, object] = {}


def cases() -> list[tuple[str, tuple[str, ...], dict[str, object]]]:
    """Operation, operand dtypes, properties: every dtype, and pairs of `MIXED`."""
    found: list[tuple[str, tuple[str, ...], dict[str, object]]] = []
    for signature in ew.SIGNATURES.values():
        if signature is ew.CONSTANT:
            found += [(signature.short, (), {"value": 1, "dtype": dtype}) for dtype in DTYPES]
        elif signature is ew.LIBM_WHERE:
            found += [
                (signature.short, ("bool", d, d), default_props(signature, d))
                for d in ("float64", "float32")
            ]
        elif signature in (ew.CAST, ew.BITCAST):
            for dtype in DTYPES:
                props = default_props(signature, dtype)
                found += [(signature.short, d, props) for d in dtype_cases(signature, props)]
        else:
            found += [(signature.short, d, NO_PROPS) for d in dtype_cases(signature)
                      if signature in MIXED or len(set(d)) == 1]
    return found


def is_bit_of_bool(dtypes: tuple[str, ...], props: dict[str, object]) -> bool:
    """A bitcast between bool and a byte: bool is one bit in a register."""
    return ("bool" in dtypes) != (props.get("dtype") == "bool")


def bits(array: Array) -> Array:
    """The bits of an array, all NaN alike: NumPy's payloads and NaN signs mean nothing."""
    if not is_float(array.dtype.name):
        return array
    return np.where(np.isnan(array), array.dtype.type(np.nan), array).view(f"i{array.itemsize}")


def distance(got: Array, wanted: Array) -> Array:
    """How many floating-point numbers lie between."""
    def line(array: Array) -> Array:
        whole = bits(array).astype(np.int64)
        lowest = np.int64(-(2**63)) if array.itemsize == 8 else np.int64(-(2**31))
        return np.where(whole < 0, lowest - whole, whole)

    return np.abs(line(got) - line(wanted))


def check(signature: ElemwiseSignature, dtypes: tuple[str, ...], props: dict[str, object],
          width: int, *, scales: bool = False) -> None:
    """Compiles and compares on the row's own values; exact operations bit for bit."""
    row = TABLE[signature]
    operands = row.operands(dtypes, props, np.random.default_rng(7)) if dtypes else []
    wanted = evaluate(signature, operands, props)
    function = operation_function(signature.short, dtypes, props)
    loop = ScalarLoop(function, width, addresses=ADDRESSES, scales=scales)
    if not operands:
        (got,) = loop_without_operands(loop)
    else:
        (got,) = loop(*operands)
    assert got.dtype == wanted.dtype
    allowed = row.ulps if is_float(wanted.dtype.name) else 0
    wrong = (distance(got, wanted) > allowed) if allowed else (bits(got) != bits(wanted))
    shown = [tuple(x[i] for x in operands) + (got[i], wanted[i]) for i in np.flatnonzero(wrong)[:5]]
    assert not wrong.any(), f"operands, found, expected: {shown}"


def loop_without_operands(loop: ScalarLoop) -> list[Array]:
    """A constant: one element."""
    result = np.empty(loop.width, loop.results[0])
    loop.native(result.ctypes.data, loop.width)
    return [result[:1]]


def name_of(case: tuple[str, tuple[str, ...], dict[str, object]]) -> str:
    name, dtypes, props = case
    return "-".join([name, *dtypes, *(str(v) for v in props.values())])


def test_every_signature_has_a_row() -> None:
    assert set(llvm_scalars.ROWS) == set(ew.SIGNATURES.values())
    expanded = {class_.signature for class_ in EXPANSIONS}  # type: ignore[attr-defined]
    assert llvm_scalars.EXPANDED <= expanded


@pytest.mark.parametrize("width", [0, 8], ids=["scalar", "vector"])
@pytest.mark.parametrize("signature", ew.SIGNATURES.values(), ids=lambda s: s.short)
def test_operation(signature: ElemwiseSignature, width: int) -> None:
    """One item an operation: its dtypes are compiled one after another."""
    mine = [case for case in cases() if case[0] == signature.short]
    assert mine
    if width:  # pairs of different dtypes differ by casts only: tried as scalars
        mine = [case for case in mine if len(set(case[1])) <= 1 or case[0] == "libm_where"]
    for _, dtypes, props in mine:
        if signature is ew.BITCAST and is_bit_of_bool(dtypes, props):
            continue
        try:
            check(signature, dtypes, props, width)
        except Exception as error:
            raise AssertionError(f"{signature.short} {dtypes} {props}: {error}") from error


POWERS = (ew.SCALE, ew.MANTISSA, ew.MINUS_EXPONENT, ew.LOG_EDGES)


@pytest.mark.skipif(not jit.host().scales, reason="instructions of AVX-512")
@pytest.mark.parametrize("lanes", [4, 8, 16, 32])
@pytest.mark.parametrize("signature", POWERS, ids=lambda s: s.short)
def test_powers_of_two_by_instructions(signature: ElemwiseSignature, lanes: int) -> None:
    """One and several registers; narrower vectors go by bits."""
    for dtype in ("float64", "float32"):
        check(signature, (dtype,) * (signature.arity or 0), {}, lanes, scales=True)
        function = operation_function(signature.short, [dtype] * (signature.arity or 0))
        text = ScalarLoop(function, lanes, scales=True).text
        assert ("llvm.x86.avx512" in text) == (lanes * np.dtype(dtype).itemsize % 64 == 0)


def test_zero_where_a_comparison_holds_is_a_mask() -> None:
    """Selected the other way round, AVX-512 has it in the instruction that makes the value."""
    block = Block(arg_types=[types.element_type("float64")] * 2)
    x, limit = block.args
    small = build(ew.LT, [x, limit])
    zero = build(ew.CONSTANT, [], {"value": 0.0, "dtype": "float64"})
    product = build(ew.MUL, [x, x])
    chosen = build(ew.SWITCH, [small.results[0], zero.results[0], product.results[0]])
    block.add_ops([small, zero, product, chosen, func.ReturnOp(*chosen.results)])
    real = types.element_type("float64")
    loop = ScalarLoop(func.FuncOp("f", ([real, real], [real]), Region(block)), 8)
    assert "fcmp uge" in loop.text
    given = np.array([1.0, 2.0, -3.0, np.nan, 5.0, 0.0, -0.0, np.inf])
    limits = np.array([2.0, 1.0, 3.0, 1.0, np.nan, 0.0, 0.0, np.inf])
    (got,) = loop(given, limits)
    np.testing.assert_array_equal(got, np.where(given < limits, 0.0, given * given))
