"""The order of the passes, each with the reason why it stands where it stands.

A pipeline is data: a list of `Step`s, for one mode. `run_pipeline` in `tetractys.compile.driver`
runs it; `tt-opt -p` runs any pass of it on textual IR.

    FAST_RUN      everything
    FAST_COMPILE  the least that gives right numbers: no stabilising rewrite, no fusion
    DebugMode     FAST_RUN, verified after each step, every step run by the level's NumPy oracle
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tetractys.runtime.jit import Host


class Step(NamedTuple):
    """One pass of a pipeline: its `tt-opt` name, the level its result is at, why it stands here."""

    name: str
    level: str
    reason: str


CASTS = Step(
    "explicit-casts", "tensor", "1. Every later pass may take equal element types for granted."
)
CHECKS = Step(
    "hoist-checks",
    "tensor",
    "2. Before anything removes an operation: its sizes must agree even if nobody reads its "
    "value. (Checks that rewrites make redundant are merged by lower-to-loops.)",
)
CANONICALIZE = Step(
    "canonicalize",
    "tensor",
    "3. Fewer forms to match: casts of casts, constants to the right, shapes read from arguments.",
)
CSE = Step(
    "cse", "tensor", "4. The gradient repeats the forward graph; patterns see each value once."
)
AUTODIFF = Step(
    "autodiff",
    "tensor",
    "5. Textual IR may hold tensor.grad; derivatives of canonical IR "
    "are smaller. (Graphs come differentiated by T.grad.)",
)
STABILIZE = Step(
    "stabilize",
    "tensor",
    "6. Before folding: its patterns are of the expression as "
    "written, and folding would bake an overflow in.",
)
FOLD = Step("constant-fold", "tensor", "7. Constants that the rewrites above brought together.")
CANONICALIZE_AGAIN = Step("canonicalize", "tensor", "8. What stabilising and folding left behind.")
CSE_AGAIN = Step("cse", "tensor", "9. Stabilised forward and backward parts meet in sigmoid(t).")
DECOMPOSE = Step(
    "decompose",
    "tensor",
    "10. softmax is one operation for the rewrites above, and "
    "reductions and elementwise work for fusion below.",
)
INDEXING = Step(
    "move-indexing",
    "tensor",
    "11. Behind decompose, which makes elementwise work of what is indexed; before fusion, which "
    "keeps arrays that are gathered from.",
)
BLAS = Step(
    "choose-blas", "tensor", "12. Matrix products leave before fusion, transposes absorbed."
)
FUSE_ELEMWISE = Step(
    "fuse-elemwise",
    "tensor",
    "13. One composite instead of a nest an operation: fewer nests to build and to match.",
)
LOWER = Step("lower-to-loops", "loops", "14. Down the stairs; nothing is raised back.")
FUSE_NESTS = Step("fuse-nests", "loops", "15. On values, before anything decides about memory.")
SCHEDULE = Step(
    "schedule-cpu", "loops", "16. After fusion: what runs together decides width and jam."
)
EXPAND = Step("expand-math", "loops", "17. Late: an exponential is 15 operations.")
CSE_LOOPS = Step("cse", "loops", "18. Expanded functions share range reductions and constants.")
VECTORIZE = Step("vectorize", "loops", "19. Bodies are final; their types become vectors.")
INPLACE = Step("mark-inplace", "loops", "20. The only place where in-place is decided.")
BUFFERIZE = Step("bufferize", "loops", "21. Values become memory; nothing is reordered after it.")
LLVM = Step("lower-loops-to-llvm", "llvm", "22. What LLVM's code generator is told.")

PIPELINES: dict[str, tuple[Step, ...]] = {
    "FAST_RUN": (
        CASTS,
        CHECKS,
        CANONICALIZE,
        CSE,
        AUTODIFF,
        STABILIZE,
        FOLD,
        CANONICALIZE_AGAIN,
        CSE_AGAIN,
        DECOMPOSE,
        INDEXING,
        BLAS,
        FUSE_ELEMWISE,
        LOWER,
        FUSE_NESTS,
        SCHEDULE,
        EXPAND,
        CSE_LOOPS,
        VECTORIZE,
        INPLACE,
        BUFFERIZE,
        LLVM,
    ),
    "FAST_COMPILE": (
        CASTS,
        CHECKS,
        AUTODIFF,
        CANONICALIZE,
        DECOMPOSE,
        BLAS,
        LOWER,
        EXPAND,
        BUFFERIZE,
        LLVM,
    ),
}
PIPELINES["DebugMode"] = PIPELINES["FAST_RUN"]

MODES = {
    "FAST_RUN": "FAST_RUN",
    "FAST_COMPILE": "FAST_COMPILE",
    "Mode": "FAST_RUN",
    "DebugMode": "DebugMode",
    "DEBUG_MODE": "DebugMode",
    "NanGuardMode": "FAST_RUN",
}
"""Theano's names of modes and the pipelines that serve them."""


def pass_options(name: str, machine: Host) -> dict[str, int]:
    """What the pass `name` must be told of the machine; empty for most."""
    if name == "schedule-cpu":
        return {"vector_bytes": machine.vector_bytes}
    fused = "+fma" in machine.features or not machine.triple.startswith("x86")
    if name == "expand-math":
        return {"scales": machine.scales, "fused": fused}
    if name == "lower-loops-to-llvm":
        streams = machine.triple.startswith("x86_64")
        masks = machine.vector_bytes == 64
        return {"masks": masks, "fused": fused, "streams": streams, "scales": machine.scales}
    return {}
