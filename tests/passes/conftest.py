"""What tests of passes share: a module from text, through passes, verified."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tetractys.passes import registry
from tetractys.tools.ir_parser import LocatingParser
from tetractys.tools.opt import OptMain
from xdsl.dialects.builtin import ModuleOp


@pytest.fixture
def compiled() -> Callable[..., ModuleOp]:
    """`compiled(text, "canonicalize", "cse")`: the module after these passes."""

    def compile_(text: str, *names: str) -> ModuleOp:
        context = OptMain(["/dev/null"]).ctx
        module = LocatingParser(context, text, "test.mlir").parse_module()
        module.verify()
        for name in names:
            registry.load_pass(name)().apply(context, module)
        module.verify()
        return module

    return compile_
