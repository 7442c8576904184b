"""Every benchmark runs at its smallest size, and one that fails does not hide the others."""

import math
from pathlib import Path

import benchmarks
import pytest
from benchmarks.__main__ import BENCHMARKS, measured, run_all
from benchmarks.measure import Line


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_at_its_smallest_size(name: str) -> None:
    rows = list(measured(name, small=True))
    assert rows and not [row for row in rows if "error" in row], rows
    assert all(math.isfinite(value) for row in rows for value in row["values"])


def test_every_benchmark_is_in_the_table_of_all() -> None:
    modules = {each.stem for each in Path(benchmarks.__path__[0]).glob("[a-z]*.py")}
    sources = {name: (Path(benchmarks.__path__[0]) / f"{name}.py").read_text() for name in modules}
    assert {name for name, text in sources.items() if "def lines(" in text} == set(BENCHMARKS)


def test_a_benchmark_that_fails_is_told_and_does_not_hide_the_next(
    capfd: pytest.CaptureFixture[str],
) -> None:
    rows = run_all(["no_such_benchmark", "features"], small=True)
    assert [row["benchmark"] for row in rows] == ["no_such_benchmark", "features"]
    assert rows[0]["error"] == "ended with 1" and "error" not in rows[1]
    assert "no_such_benchmark: ended with 1\nTime per bar of 4,000 bars" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("line", "is_met"),
    [
        (Line("a", [1.0, 3.0, 2.0], at_most=2.0), True),
        (Line("a", [1.0, 3.0, 2.0], at_most=1.9), False),
        (Line("a", [1.0, 3.0, 2.0], at_least=2.0), True),
        (Line("a", [1.0, 3.0, 2.0], at_least=2.1), False),
        (Line("a", [1.0, 3.0, 2.0]), None),
    ],
)
def test_a_line_says_missed_exactly_when_its_median_misses_the_aim(line: Line, is_met: bool | None) -> None:
    assert line.is_met is is_met
    assert str(line).endswith("missed") is (is_met is False)
    assert Line.from_json(line.to_json()) == line
