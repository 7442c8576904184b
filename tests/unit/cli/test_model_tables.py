"""Models are told apart by what they were trained on, and shown with all that is known of them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ktrdr.cli.results.loss_chart import loss_chart
from ktrdr.cli.results.models import Sort, chosen, csv_lines, model_lines, page_lines, verdict_words
from ktrdr.model_catalog.catalog import ModelCatalog

FORMER = ModelCatalog(Path(__file__).parents[1] / "training" / "former_model")


def model(name: str, **summary: Any) -> dict[str, Any]:
    known = {
        "symbols": ["AAPL"],
        "timeframe": "1d",
        "label": "triple_barrier 10",
        "seed": 42,
        "skill": 0.01,
        "direction": 0.52,
        "accuracy": 0.39,
        "verdicts": {"prior": "not distinguishable"},
    }
    return {"name": name, "created_at": "2026-01-02T03:04:05", "size": 2400, "summary": {**known, **summary}}


MODELS = [
    model("zig/r3", label="zigzag 0.05", skill=0.2, direction=0.75, symbols=["IBM"]),
    model("trend/r2", skill=None, direction=None, symbols=["A", "B", "C", "D", "IBM"], seed=7),
    model("trend/r1", verdicts={"prior": "yes", "linear": "yes", "majority": "no"}),
]


def test_a_figure_never_stands_without_the_label_it_is_of() -> None:
    header, *rows = model_lines(MODELS)
    assert header.split() == [
        "NAME", "SYMBOLS", "TIMEFRAME", "LABEL", "WHEN", "SEED", "SKILL", "DIRECTION", "VERDICT", "SIZE"
    ]  # fmt: skip
    assert "zigzag 0.05" in rows[0]
    assert "0.750" in rows[0]
    assert "A,B,C and 2 more" in rows[1]
    assert "2026-01-02 03:04     7      –          –  not distinguishable " in rows[1]
    assert "beats prior, linear; worse than majority  2.4 kB" in rows[2]


@pytest.mark.parametrize(
    ("symbol", "strategy", "sort", "names"),
    [
        (None, None, Sort.WHEN, ["zig/r3", "trend/r2", "trend/r1"]),
        ("IBM", None, Sort.WHEN, ["zig/r3", "trend/r2"]),
        (None, "trend", Sort.WHEN, ["trend/r2", "trend/r1"]),
        (None, None, Sort.NAME, ["trend/r1", "trend/r2", "zig/r3"]),
        (None, None, Sort.SKILL, ["zig/r3", "trend/r1", "trend/r2"]),
        (None, None, Sort.DIRECTION, ["zig/r3", "trend/r1", "trend/r2"]),
        ("TSLA", None, Sort.SIZE, []),
    ],
)
def test_models_are_chosen_and_sorted(
    symbol: str | None, strategy: str | None, sort: Sort, names: list[str]
) -> None:
    assert [each["name"] for each in chosen(MODELS, symbol, strategy, sort)] == names


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ({"prior": "yes", "rsi_rule": "yes"}, "beats prior, RSI rule"),
        ({"prior": "no", "linear": "not distinguishable"}, "worse than prior"),
        ({"prior": "no", "linear": "no", "direction": "yes"}, "beats a coin; worse than prior, linear"),
        ({"prior": "not distinguishable", "linear": "not distinguishable"}, "not distinguishable"),
        ({"prior": "too few dates"}, "too few dates"),
        ({}, "–"),
    ],
)
def test_a_verdict_is_a_few_words(verdicts: dict[str, str], words: str) -> None:
    assert verdict_words({"verdicts": verdicts}) == words


def test_a_program_gets_every_digit() -> None:
    rows = list(csv.DictReader(csv_lines([model("a/b", skill=0.123456789)])))
    assert rows[0]["skill"] == "0.123456789"
    assert rows[0]["symbols"] == "AAPL"


def test_a_model_of_the_former_layout_is_shown_with_its_metrics() -> None:
    page = "\n".join(page_lines(json.loads(json.dumps(FORMER.details("former")))))
    for words in (
        "· MSFT 1d",
        "triple_barrier 5",
        "hidden [2]",
        "Log-loss skill",
        "Test, per class",
        "Verdict",
    ):
        assert words in page


@pytest.mark.parametrize("missing", ["summary", "metrics", "training", "folder", "history"])
def test_what_a_model_or_an_older_server_does_not_say_is_a_dash(missing: str) -> None:
    shown = {**json.loads(json.dumps(FORMER.details("former"))), missing: None}
    assert page_lines(shown)[0].startswith("former/")
    assert len(model_lines([shown])) == 2
    assert len(csv_lines([shown])) == 2


def test_the_curve_fits_the_screen_and_names_both_losses() -> None:
    history = [{"epoch": n, "train_loss": 1 / n, "val_loss": 2 / n} for n in range(1, 201)]
    lines = loss_chart(history, width=60, height=12, coloured=False)
    assert max(map(len, lines)) <= 60
    assert "training loss" in "".join(lines)
    assert "\x1b" not in "".join(lines)
