"""`pp` and `debugprint` against what Theano 1.0.5 printed; deep graphs; the seed's strings."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tetractys.tensor as T
from tetractys import pp
from tetractys.graph import Apply, Variable
from tetractys.printing import debugprint, min_informative_str

RECORDED = Path(__file__).parent / "recorded"


def names() -> dict[str, Any]:
    return {
        "T": T,
        "np": np,
        "x": T.dmatrix("x"),
        "y": T.dvector("y"),
        "s": T.dscalar("s"),
        "iv": T.ivector("iv"),
        "fm": T.fmatrix("fm"),
    }


def trees() -> list[tuple[str, str, str, str]]:
    blocks = (RECORDED / "trees.txt").read_text().split("\n## ")[1:]
    result = []
    for block in blocks:
        expression, head, formula, tree = block.split("\n", 3)
        result.append((expression, head[2:], formula[3:], tree.rstrip("\n") + "\n"))
    return result


def formulas() -> list[list[str]]:
    lines = (RECORDED / "formulas.txt").read_text().splitlines()
    return [line.split(" => ") for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(("expression", "head", "formula", "tree"), trees())
def test_text_is_theanos(expression: str, head: str, formula: str, tree: str) -> None:
    value = eval(expression, names())
    assert f"{value} : {value.type}" == head
    assert pp(value) == formula
    assert debugprint(value, file="str") == tree


@pytest.mark.parametrize(("expression", "formula"), formulas())
def test_formula_is_theanos(expression: str, formula: str) -> None:
    assert pp(eval(expression, names())) == formula


def test_nothing_was_lost_from_the_recorded_tables() -> None:
    assert len(trees()) >= 120
    assert len(formulas()) >= 80


def test_ids_types_depth_names() -> None:
    x, y, iv = T.dmatrix("x"), T.dvector("y"), T.ivector("iv")
    assert debugprint(x + y, file="str", print_type=True) == (
        "Elemwise{add,no_inplace} [id A] <TensorType(float64, matrix)> ''   \n"
        " |x [id B] <TensorType(float64, matrix)>\n"
        " |InplaceDimShuffle{x,0} [id C] <TensorType(float64, row)> ''   \n"
        "   |y [id D] <TensorType(float64, vector)>\n"
    )
    assert debugprint(x.T + y, file="str", ids="int").splitlines()[1] == (
        " |InplaceDimShuffle{1,0} [id 1] 'x.T'   "
    )
    assert (
        debugprint(x + y, file="str", ids="").splitlines()[0] == "Elemwise{add,no_inplace}  ''   "
    )
    assert debugprint(T.exp(x + y) * 2, file="str", depth=2) == (
        "Elemwise{mul,no_inplace} [id A] ''   \n"
        " |Elemwise{exp,no_inplace} [id B] ''   \n"
        " |InplaceDimShuffle{x,x} [id C] ''   \n"
    )
    assert debugprint(x.mean() + 1, file="str", stop_on_name=True).count("\n") == 3
    assert " |ScalarFromTensor [id C] <int32> ''   " in debugprint(
        x[iv[0]], file="str", print_type=True
    )


def test_outputs_of_one_node_share_its_id_and_it_opens_once() -> None:
    x = T.dmatrix("x")
    largest, position = T.max_and_argmax(x, axis=1)
    assert debugprint([largest, position, largest + 1], file="str") == (
        "MaxAndArgmax{axis=(1,)}.0 [id A] 'max'   \n"
        " |x [id B]\n"
        "MaxAndArgmax{axis=(1,)}.1 [id A] 'argmax'   \n"
        "Elemwise{add,no_inplace} [id C] ''   \n"
        " |MaxAndArgmax{axis=(1,)}.0 [id A] 'max'   \n"
        " |InplaceDimShuffle{x} [id D] ''   \n"
        "   |TensorConstant{1} [id E]\n"
    )


def test_letters_go_on_after_z() -> None:
    s = T.dscalar("s")
    z = s
    for i in range(30):
        z = z + s * i
    assert debugprint(z, file="str").endswith("   |TensorConstant{29} [id DM]\n")


def test_to_a_file_and_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    s = T.dscalar("s")
    target = io.StringIO()
    assert debugprint(s, file=target) is target
    assert target.getvalue() == "s [id A]\n"
    debugprint(s)
    assert capsys.readouterr().out == "s [id A]\n"


def test_an_apply_prints() -> None:
    s = T.dscalar("s")
    node = Apply(T.add, [s, s], [s.type()])
    assert debugprint(node, file="str").startswith(
        "Elemwise{add,no_inplace} [id A] ''   \n |s [id B]"
    )


def test_wrong_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="debugprint cannot print an object of this type: int"):
        debugprint(3)
    with pytest.raises(TypeError, match="pp: found int; expected a variable"):
        pp(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="found ids='x'"):
        debugprint(T.dscalar(), ids="x")


def test_min_informative_str() -> None:
    x, y = T.dmatrix("x"), T.dvector("y")
    assert min_informative_str(T.exp(x + y) / (x + y)) == (
        "A. Elemwise{true_div,no_inplace}\n B. Elemwise{exp,no_inplace}\n"
        "  C. Elemwise{add,no_inplace}\n   D. x\n   E. InplaceDimShuffle{x,0}\n    F. y\n"
        " G. Elemwise{add,no_inplace}\n  <D>\n  H. InplaceDimShuffle{x,0}\n   <F>"
    )


def chain(length: int) -> Variable:
    z = T.dscalar("z")
    for _ in range(length):
        z = T.tanh(z)
    return z


def test_a_long_chain_prints() -> None:
    deep = chain(20_000)
    assert pp(deep) == "tanh(" * 20_000 + "z" + ")" * 20_000
    assert debugprint(deep, file="str", depth=50).count("\n") == 50
    assert min_informative_str(chain(2_000)).count("\n") == 2_000


def test_the_seeds_strings() -> None:
    x, y = T.dmatrix("x"), T.dmatrix("y")
    assert pp(x + y) == "(x + y)"
    z = x * 2
    assert z.owner.op.name == "Elemwise{mul,no_inplace}"
    assert repr(z.owner.inputs[0]) == "x"
    assert repr(z.owner.inputs[1]) == "InplaceDimShuffle{x,x}.0"
    assert repr(z.owner.inputs[1].owner.op).startswith("<tetractys.tensor.elemwise.DimShuffle ")
    assert repr(z.owner.inputs[1].owner.inputs) == "[TensorConstant{2}]"
    assert repr(type(z.owner.inputs[1])) == "<class 'tetractys.tensor.var.TensorVariable'>"
