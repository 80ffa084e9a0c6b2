"""One fresh process of the start-up measurement: from `import numpy` to the first result.

`python -m tetractys.tools.bench.startup LIBRARY` prints one line of JSON: the seconds of each
phase,
`total` beyond NumPy's import, and for ours the passes one by one.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def main(library: str) -> None:
    """Runs the logistic regression to its first result and prints the times."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((400, 784)), rng.integers(0, 2, 400).astype("float64")
    w = rng.standard_normal(784) * 0.1
    start = time.perf_counter()
    phases = _ours(x, y, w) if library == "tetractys" else _peer(library, x, y, w)
    phases["total"] = time.perf_counter() - start
    print(json.dumps(phases))


def _ours(x_value: np.ndarray, y_value: np.ndarray, w_value: np.ndarray) -> dict[str, float]:
    clock = time.perf_counter
    marks = [clock()]
    import tetractys
    import tetractys.tensor as T

    marks.append(clock())
    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = tetractys.shared(w_value, name="w"), tetractys.shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    marks.append(clock())
    train = tetractys.function(
        [x, y], [prediction, xent], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb))
    )
    predict = tetractys.function([x], prediction)
    marks.append(clock())
    train(x_value, y_value)
    predict(x_value)
    marks.append(clock())
    phases = {"import tetractys": marks[1] - marks[0], "graph and gradient": marks[2] - marks[1]}
    for function in (train, predict):
        for name, seconds in function.times.items():
            phases[name] = phases.get(name, 0.0) + seconds
    known = sum(phases.values()) - phases["import tetractys"] - phases["graph and gradient"]
    phases["call path and the rest"] = marks[3] - marks[2] - known
    phases["first calls"] = marks[4] - marks[3]
    return phases


def _peer(library: str, x: np.ndarray, y: np.ndarray, w: np.ndarray) -> dict[str, float]:
    # Only the library's own imports and work count: `workloads` itself imports nothing but NumPy.
    from tetractys.tools.bench import workloads

    start = time.perf_counter()
    step = workloads.STEPS[library](w)
    step(x, y)
    return {"import, compile, first step": time.perf_counter() - start}


if __name__ == "__main__":
    main(sys.argv[1])
