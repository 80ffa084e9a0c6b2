"""The benchmark's table: two cheap rows measured, and how a row is judged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tetractys.tools.bench import report, rows
from tetractys.tools.bench.__main__ import main
from tetractys.tools.bench.columns import OURS
from tetractys.tools.bench.driver import Cell
from tetractys.tools.bench.job import Job, worst_error
from tetractys.tools.bench.row import Bar, ProcessRow, Row

QUICK = ["--peers", "numpy", "--threads", "1", "--rounds", "2", "--seconds", "0.005"]


def test_the_table_has_a_line_for_every_row_and_the_figures_are_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "table.json"
    status = main(["table", "--rows", "call-0d,gemm-f64-3", *QUICK, "--json", str(file)])
    out = capsys.readouterr().out
    assert status == 0, out
    heads, first, second = (line.split() for line in out.splitlines()[2:5])
    assert heads[:5] == ["row", "threads", "ours", "least", "numpy"]
    assert first[:2] == ["call-0d", "1"] and second[:2] == ["gemm-f64-3", "1"]
    assert "call path" in out and "choose-blas" in out and "of 2 bars held" in out
    for found in json.loads(file.read_text())["rows"]:
        ours, numpy = found["cells"][OURS], found["cells"]["numpy"]
        assert 0 < ours["least"] <= ours["median"] and ours["samples"] >= 4
        assert found["ratio"] == pytest.approx(numpy["median"] / ours["median"])


def test_a_row_with_other_numbers_is_wrong_and_the_exit_status_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = rows.find("call-0d")._replace(reference=lambda d: [np.asarray(3.75000001)])
    monkeypatch.setitem(rows.FAMILIES, "calls", (row,))
    status = main(["table", "--rows", "call-0d", *QUICK, "--markdown"])
    out = capsys.readouterr().out
    assert status == 1
    assert "WRONG (tetractys, numpy)" in out and "| row |" in out
    assert "call-0d, tetractys, 1 threads: WRONG, relative error 2.7e-09" in out


@pytest.mark.parametrize("option", ["--rows", "--peers", "--python"])
def test_unknown_names_are_told_what_was_expected(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table", option, "nonsense"]) == 2
    assert f"{option}: found 'nonsense'; expected" in capsys.readouterr().err


def row(**fields: object) -> Row:
    return rows.find("call-0d")._replace(**fields)


def cells(**seconds: float) -> dict[str, Cell]:
    return {name.replace("ours", OURS): Cell([value]) for name, value in seconds.items()}


def test_a_bar_is_held_against_the_best_peer_or_the_named_one() -> None:
    best = row(bars={1: (Bar(2.0),), 2: (Bar(3.0),)})
    line = report.judge(best, 1, cells(ours=1.0, numpy=9.0, jax=2.5))
    assert (line.best, line.ratio, line.held) == ("jax", 2.5, True)
    assert report.judge(best, 2, cells(ours=1.0, numpy=9.0, jax=2.5)).held is False
    named = row(bars={1: (Bar(2.5, "numpy"), Bar(1.25, "numba"))})
    assert report.judge(named, 1, cells(ours=1.0, numpy=2.6, numba=1.2)).held is False
    assert report.judge(named, 1, cells(ours=1.0, numpy=2.6, jax=1.2)).held is True
    assert report.judge(named, 1, cells(ours=1.0)).held is None


def test_a_wrong_peer_is_not_the_best_one() -> None:
    found = cells(ours=1.0, numpy=2.0, jax=0.1)
    found["jax"].wrong = True
    line = report.judge(row(bars={1: (Bar(1.5),)}), 1, found)
    assert (line.best, line.verdict) == ("numpy", "WRONG (jax)")


def test_a_variant_is_held_against_its_own_row_by_the_work_of_both() -> None:
    half = row(base="call-0d", work=0.5)  # the base row's work is 1
    assert report.judge(half, 1, {OURS: Cell([0.6]), "its row": Cell([1.0])}).held is True
    assert report.judge(half, 1, {OURS: Cell([0.7]), "its row": Cell([1.0])}).held is False


def test_start_up_is_held_against_seconds() -> None:
    limit = next(r for r in rows.all_rows() if isinstance(r, ProcessRow))
    assert report.judge(limit, 1, cells(ours=limit.limit)).held is True
    assert report.judge(limit, 1, cells(ours=limit.limit * 1.01)).held is False


def test_errors_are_relative_and_a_shape_or_a_nan_is_infinite() -> None:
    one = np.array([1.0, 1e-9])
    assert worst_error([one], [one]) == 0.0
    assert worst_error([one * [1.001, 1.0]], [one]) == pytest.approx(1e-3)
    assert worst_error([one + [0.0, 1e-6]], [one]) == pytest.approx(1e-3)  # by the array's scale
    assert worst_error([one[:1]], [one]) == worst_error([one, one], [one]) == float("inf")
    assert worst_error([one * [np.nan, 1.0]], [one]) == float("inf")
    assert worst_error([np.array([True, False])], [np.array([True, True])]) == 0.5


def test_a_job_calls_with_positions_and_keywords_and_waits_inside_the_timing() -> None:
    seen: list[object] = []
    job = Job(lambda x, y: x - y, (5,), {"y": 3}, lambda out: seen.append(out))
    assert job.seconds(4) > 0 and seen == [2] * 4
    assert [array.item() for array in job.check()] == [2]


def test_every_row_can_be_found_by_its_name_and_every_variant_has_its_row() -> None:
    every = rows.all_rows()
    names = [row.name for row in every]
    assert len(set(names)) == len(names) and len(names) > 80
    for row in every:
        assert row.made_by and row.title
        if isinstance(row, Row):
            assert "theano" in row.setups
            assert not row.base or not rows.find(row.base).base
        elif isinstance(row, ProcessRow):
            assert "theano" in rows.find(row.of).setups
