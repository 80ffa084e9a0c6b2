"""`python -m tetractys`: the logistic regression of Theano's tutorial, compiled and trained.

Shows what became of the graph at each level, trains for 10,000 steps with a progress bar, prints
the
accuracy, and writes a picture of the graph and its kernels.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

import numpy as np

import tetractys
import tetractys.tensor as T

SAMPLES, FEATURES = 400, 784


def main(arguments: list[str] | None = None) -> int:
    """Runs the demo; returns the exit status."""
    options = _options(arguments)
    rng = np.random.default_rng(options.seed)
    data = rng.standard_normal((SAMPLES, FEATURES)), rng.integers(0, 2, SAMPLES).astype("float64")

    start = time.perf_counter()
    x, y = T.dmatrix("x"), T.dvector("y")
    w = tetractys.shared(rng.standard_normal(FEATURES), name="w")
    b = tetractys.shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    train = tetractys.function(
        inputs=[x, y],
        outputs=[prediction, xent],
        updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)),
        name="train",
    )
    predict = tetractys.function(inputs=[x], outputs=prediction, name="predict")
    print(f"two functions compiled in {time.perf_counter() - start:.3f} s\n")
    print(f"cross-entropy: {tetractys.pp(xent)}\n")
    print(train.explain())

    start = time.perf_counter()
    for _ in _progress(options.steps):
        train(*data)
    seconds = time.perf_counter() - start
    accuracy = np.mean(predict(data[0]) == data[1])
    each = seconds / max(options.steps, 1) * 1e6
    print(f"{options.steps} steps in {seconds:.2f} s, {each:.0f} us each")
    print(f"final accuracy {accuracy:.3f} on the {SAMPLES} samples trained on")
    with open(options.picture, "w", encoding="utf-8") as file:
        file.write(train.svg())
    print(f"picture of the graph and its kernels: {options.picture}")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tetractys", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000, help="training steps (10000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random data (0)")
    parser.add_argument("--picture", default="tetractys-demo.svg", help="where the picture goes")
    return parser.parse_args(arguments)


def _progress(steps: int, width: int = 40) -> Iterator[int]:
    """Counts to `steps`, drawing a bar on a terminal, and its last state anywhere else."""
    is_terminal = sys.stdout.isatty()
    every = max(1, steps // 100)
    for step in range(1, steps + 1):
        yield step
        if (is_terminal and step % every == 0) or step == steps:
            filled = width * step // steps
            bar = "#" * filled + "." * (width - filled)
            end = "" if is_terminal and step < steps else "\n"
            print(f"\rtraining [{bar}] {step}/{steps}", end=end, flush=True)


if __name__ == "__main__":
    sys.exit(main())
