"""All functions of the front end under one name, as Theano's `tensor.basic`."""

# ruff: noqa: F401, F403
from __future__ import annotations

from tetractys.tensor.constants import (
    AsTensorError,
    EmptyConstantError,
    NotScalarConstantError,
    as_tensor,
    as_tensor_variable,
    constant,
    get_scalar_constant_value,
)
from tetractys.tensor.constructors import *
from tetractys.tensor.elemwise import (
    DimShuffle,
    Elemwise,
    MaxAndArgmax,
    ScalarFromTensor,
    TensorFromScalar,
    scalar_from_tensor,
    tensor_from_scalar,
)
from tetractys.tensor.functions_dot import *
from tetractys.tensor.functions_elemwise import *
from tetractys.tensor.functions_index import inc_subtensor, set_subtensor
from tetractys.tensor.functions_index import index as getitem
from tetractys.tensor.functions_reduce import *
from tetractys.tensor.functions_shape import *
from tetractys.tensor.known import vector_length as get_vector_length
from tetractys.tensor.shaping import Alloc, ARange, Dot, MakeVector, Reshape, Shape
from tetractys.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedSubtensor,
    AdvancedSubtensor1,
    IncSubtensor,
    Subtensor,
)
from tetractys.tensor.type import TensorType
from tetractys.tensor.var import TensorConstant, TensorVariable
