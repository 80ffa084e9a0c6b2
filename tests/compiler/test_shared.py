"""`shared`, `In`, `Out`, conversion of arguments: rules and words (THEANO_SEMANTICS D6, D7)."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys import In, Out, change_flags, shared
from tetractys.sharedvalue import SharedVariable
from tetractys.tensor.sharedvar import ScalarSharedVariable, TensorSharedVariable


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (5, "TensorType(int64, scalar)", ScalarSharedVariable),
        (5.0, "TensorType(float64, scalar)", ScalarSharedVariable),
        (True, "TensorType(bool, scalar)", ScalarSharedVariable),
        (np.float32(1), "TensorType(float32, scalar)", ScalarSharedVariable),
        (np.array(3), "TensorType(int64, scalar)", TensorSharedVariable),
        (np.ones((1, 3)), "TensorType(float64, matrix)", TensorSharedVariable),
        ([1, 2], "Generic", SharedVariable),
        ("abc", "Generic", SharedVariable),
        (None, "Generic", SharedVariable),
        (2**70, "Generic", SharedVariable),
        (np.array(["a"]), "Generic", SharedVariable),
    ],
)
def test_types_of_shared_values(value: Any, text: str, kind: type) -> None:
    variable = shared(value)
    assert str(variable.type) == text and type(variable) is kind
    assert repr(variable) == f"<{text}>"


def test_constructor_words() -> None:
    with pytest.raises(
        TypeError, match="Shared variable constructor needs numeric values and not symbolic"
    ):
        shared(T.dscalar())
    with pytest.raises(TypeError, match="No suitable SharedVariable constructor could be found"):
        shared(np.ones(2), foo=3)
    with pytest.raises(TypeError, match="No suitable SharedVariable constructor could be found"):
        shared(np.ones((2, 3)), broadcastable=(True, False))
    with pytest.raises(TypeError, match="No suitable SharedVariable constructor could be found"):
        shared(np.ones(3), broadcastable=(True, False))
    assert shared(np.ones((1, 3)), broadcastable=(True, False)).type == T.drow
    assert shared(np.ones(2), target="cpu").type == T.dvector
    with pytest.raises(TypeError, match="name must be a string"):
        shared(3, name=4)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"sharedvar.value does not exist anymore"):
        shared(3).value  # noqa: B018


def test_copies_and_borrowing() -> None:
    source = np.zeros(3)
    copied, borrowed = shared(source), shared(source, borrow=True)
    source[0] = 7
    assert copied.get_value()[0] == 0 and borrowed.get_value()[0] == 7
    assert borrowed.get_value(borrow=True) is source
    copied.get_value()[1] = 5
    assert copied.get_value()[1] == 0
    copied.get_value(borrow=True)[1] = 5
    assert copied.get_value()[1] == 5
    replacement = np.ones(4)
    copied.set_value(replacement)
    borrowed.set_value(replacement, borrow=True)
    replacement[0] = 9
    assert copied.get_value()[0] == 1 and borrowed.get_value(borrow=True) is replacement
    assert copied.get_value().shape == (4,)
    copied.zero()
    assert copied.get_value().tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("value", "new", "words"),
    [
        (np.ones(3, "f"), np.ones(3), "cannot store a value of dtype float64 without risking loss"),
        (np.ones(3, "f"), [1.1, 2], "cannot store accurately value"),
        (np.ones(3, "f"), 3.0, "Wrong number of dimensions: expected 1, got 0 with shape"),
        (
            np.ones(3),
            np.ones((3, 3)),
            r"Wrong number of dimensions: expected 1, got 2 with shape \(3, 3\)",
        ),
        (3, 4.5, "cannot store accurately value 4.5, it would be represented as 4"),
        (np.ones(3), T.dvector(), "found a Variable: maybe you are trying to call a function"),
    ],
)
def test_refused_values_change_nothing(value: Any, new: Any, words: str) -> None:
    variable = shared(value, name="w")
    before = variable.get_value(borrow=True)
    with pytest.raises(TypeError, match=words) as caught:
        variable.set_value(new)
    assert variable.get_value(borrow=True) is before
    assert 'Container name "w"' in caught.value.args


def test_accepted_values() -> None:
    for value, new in [
        (np.ones(3, "f"), [1, 2]),
        (np.ones(3), np.ones(3, "f")),
        (3.0, 4),
        (3, 4.0),
    ]:
        variable = shared(value)
        variable.set_value(new)
        assert variable.get_value().dtype == variable.dtype
    shared(np.ones(3, "f"), allow_downcast=True).set_value(np.ones(3))
    with pytest.raises(TypeError, match="expected a ndarray object"):
        shared(np.ones(3), strict=True).set_value([1, 2])
    assert type(shared(np.ones((1, 1)).view(np.matrix)).get_value(borrow=True)) is np.ndarray
    assert shared(5).get_value().shape == () and shared(5).get_value().dtype == np.int64


def test_clones_share_the_value_and_pickles_do_not() -> None:
    variable = shared(np.ones(2), name="w")
    twin = variable.clone()
    twin.set_value(np.zeros(2))
    assert variable.get_value().tolist() == [0, 0] and twin.container is variable.container
    loaded = pickle.loads(pickle.dumps(variable))
    variable.set_value(np.ones(2))
    assert loaded.get_value().tolist() == [0, 0] and loaded.name == "w"


def test_get_and_set_wait_for_the_lock() -> None:
    variable = shared(np.zeros(1))
    done = threading.Event()

    def write() -> None:
        variable.set_value(np.ones(1))
        done.set()

    with variable.container.lock:
        thread = threading.Thread(target=write)
        thread.start()
        assert not done.wait(0.05)
    thread.join()
    assert variable.get_value()[0] == 1


def test_in() -> None:
    v, s = T.dvector("v"), T.dscalar("s")
    item = In(v)
    assert (item.name, item.mutable, item.borrow, item.value) == ("v", False, False, None)
    assert In(v, name="k", value=[1.0]).name == "k"
    assert In(s, update=s + 1).mutable and In(s, mutable=True).borrow
    with pytest.raises(TypeError, match="has type TensorType.* but an update of type"):
        In(v, update=s)
    with pytest.raises(
        AssertionError, match="mutable=True, borrow=False. This combination is incompatible"
    ):
        In(v, mutable=True, borrow=False)
    with pytest.raises(TypeError, match="name must be a string!"):
        In(v, name=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="In: found 'a' of type str"):
        In("a")  # type: ignore[arg-type]
    assert repr(In(s)) == "In(s)" and repr(Out(s, borrow=True)) == "Out(s,True)"


def test_words_of_a_bad_argument() -> None:
    v, line = T.fvector("v"), 0
    line = v.site[1]
    with pytest.raises(TypeError) as caught:
        In(v).filter([[1.0]], "train.py:7", 2)
    message = caught.value.args[0]
    assert message.startswith(
        'Bad input argument to tetractys function with name "train.py:7" at index 2 (0-based).  \n'
        f'Backtrace when that variable is created:\n\n  File "{__file__}", line {line}\n'
    )
    assert message.endswith("Wrong number of dimensions: expected 1, got 2 with shape (1, 1).")
    with pytest.raises(
        ValueError, match="Bad input argument(.|\n)*could not convert string to float"
    ):
        In(T.dscalar()).filter("a", "f", 0)
    with pytest.raises(TypeError, match="Bad input argument(.|\n)*found a Variable"):
        In(v).filter(v, "f", 0)


F32_LOSS = "cannot store a value of dtype float64 without risking loss of precision"


@pytest.mark.parametrize(
    ("type_", "value", "want"),
    [
        (
            T.fscalar,
            1.1,
            "cannot store accurately value 1.1, it would be represented as 1.1. If you do not",
        ),
        (T.fscalar, 1.5, np.float32),
        (T.fscalar, 3, np.float32),
        (T.fscalar, np.float64(1.5), np.float32),
        (T.fscalar, np.array(1.5), F32_LOSS),
        (T.fmatrix, np.ones((2, 2)), F32_LOSS),
        (T.fmatrix, [[1.0, 2.0]], np.float32),
        (T.fmatrix, [[2.1]], "cannot store accurately value"),
        (T.fmatrix, np.ones((2, 2), "int16"), np.float32),
        (T.fmatrix, np.ones((2, 2), "int32"), "cannot store a value of dtype int32"),
        (T.ivector, np.arange(3), "cannot store a value of dtype int64"),
        (T.ivector, [1, 2], np.int32),
        (T.ivector, [1.0, 2.0], np.int32),
        (T.ivector, [1.5], "cannot store accurately value"),
        (T.ivector, [2**40], "cannot store accurately value"),
        (T.bvector, [300], "cannot store accurately"),
        (T.bvector, [True], np.int8),
        (T.dvector, [np.nan], np.float64),
        (T.dvector, (1, 2), np.float64),
        (T.dvector, np.array([1j]), "cannot store a value of dtype complex128"),
        (T.drow, np.ones((2, 2)), "Non-unit value on shape on a broadcastable dimension."),
        (T.dscalar, None, "cannot store None"),
        (T.dvector, np.array([object()]), "cannot store a value"),
        (T.dscalar, np.ones(3), r"Wrong number of dimensions: expected 0, got 1 with shape \(3,\)"),
        (T.TensorType("bool", ()), 1, np.bool_),
        (T.TensorType("bool", ()), 2, "cannot store accurately"),
    ],
)
def test_arguments(type_: Any, value: Any, want: Any) -> None:
    if isinstance(want, str):
        with pytest.raises(TypeError, match=want):
            type_.filter(value)
    else:
        assert type_.filter(value).dtype == want
        assert type_.filter(value).ndim == type_.ndim


def test_downcast_follows_float_x_and_the_flag() -> None:
    with change_flags(floatX="float32"):
        assert T.fscalar.filter(1.1).dtype == np.float32
        with pytest.raises(TypeError, match="cannot store accurately"):
            T.fscalar.filter(1.1, allow_downcast=False)
    assert T.fscalar.filter(np.array(1.1), allow_downcast=True).dtype == np.float32
    with pytest.raises(TypeError, match="expected a ndarray object with dtype = float32"):
        T.fmatrix.filter(np.ones((1, 1)), strict=True)
    with pytest.raises(OverflowError, match="Python int too large"):
        T.lscalar.filter(2**70)


def test_an_exact_array_passes_as_it_is() -> None:
    array = np.ones((3, 4))[::2, ::-1]
    assert T.dmatrix.filter(array) is array
    swapped = np.ones(3).astype(">f8")
    assert T.dvector.filter(swapped).dtype.isnative
    assert tetractys.shared is shared
