"""A training's result as lines: within 80 columns, and one of a former build as well."""

import json
from pathlib import Path
from typing import Any

from ktrdr.cli.operation_adapters.training_tables import dry_run_lines, performance_lines

FORMER = Path(__file__).parents[1] / "training" / "former_model" / "former" / "20261126T134548102-18aa210e"
MODEL = {
    "name": "trend_momentum_portfolio/20261126T135236427-605166fd",
    "model_size_bytes": 4900,
    "parameters": 499,
    "training_time_seconds": 1234.5,
    "best_epoch": 7,
    "epochs_run": 27,
    "stopped_early": True,
    "device": "cpu",
    "seed": 42,
}
SUMMARY = {
    "strategy": "trend_momentum_portfolio",
    "symbols": ["AAPL", "MSFT"],
    "timeframe": "1d",
    "report": {"warnings": ["one"]},
}


def former() -> dict[str, Any]:
    """The performance of a training as a former build kept it."""
    return {**json.loads((FORMER / "metrics.json").read_bytes()), "model_info": MODEL}


def present() -> dict[str, Any]:
    """The same with all that is told now."""
    performance = former()
    per_symbol = {
        "AAPL": {"rows": 1469, "log_loss_skill": -0.013, "direction": 0.543, "accuracy": 0.437},
        "MSFT": {"rows": 0, "log_loss_skill": None, "direction": None, "accuracy": None},
    }
    told = {"per_symbol": per_symbol, "direction_interval": [0.41, 0.53], "accuracy_interval": None}
    sentence = "not distinguishable from the prior, the RSI rule, the linear model, majority (accuracy)"
    return {
        **performance,
        "test_metrics": {**performance["test_metrics"], **told},
        "verdict": {
            "sentence": f"{sentence} or a coin (direction) on the test period (1st model scored on it)"
        },
        "model_info": {**MODEL, "compiling_seconds": 12.3, "linear_seconds": 4.5},
    }


def test_every_line_of_a_result_keeps_within_80_columns() -> None:
    lines = performance_lines(SUMMARY, present(), verbose=True)
    assert [line for line in lines if len(line) > 80] == []


def test_symbols_stand_below_each_other_and_one_without_test_rows_is_dashes() -> None:
    lines = performance_lines(SUMMARY, present(), verbose=False)
    at = next(number for number, line in enumerate(lines) if "per symbol" in line)
    assert [line.split() for line in lines[at : at + 3]] == [
        ["Test,", "per", "symbol", "rows", "skill", "direction", "accuracy"],
        ["AAPL", "1,469", "-0.013", "0.543", "0.437"],
        ["MSFT", "0", "–", "–", "–"],
    ]


def test_a_result_of_a_former_build_is_shown_with_what_it_knew() -> None:
    performance = former()
    performance["test_metrics"]["per_symbol"] = {"AAPL": 0.437, "MSFT": None}
    shown = "\n".join(performance_lines(SUMMARY, performance, verbose=True))
    for words in (
        "Training time 1234.5 s\n",
        "Test direction, 95 %  –",
        "AAPL                     –       –          –     0.437",
    ):
        assert words in shown


def test_figures_that_a_former_build_decided_by_another_rule_stand_on_that_rules_line() -> None:
    lines = performance_lines(SUMMARY, former(), verbose=False)
    figures = {line[2:22].strip(): line[22:].split() for line in lines[2:10]}
    assert figures["Balanced acc. (p/π)"][:3] == ["0.344", "0.333", "0.333"]
    assert figures["Balanced accuracy"] == figures["MCC"] == ["–"] * 6


def test_a_dry_run_tells_shares_of_rows_and_of_weight_within_80_columns() -> None:
    part = {"rows": 217_400, "effective_samples": 34_600.0, "first": "2000-09-18", "last": "2009-05-12"}
    shares = {"class_shares": {"BUY": 0.4, "SELL": 0.6}, "class_weights": {"BUY": 0.45, "SELL": 0.55}}
    bars = ("loaded", "warm_up", "non_finite", "unlabelled", "purged", "embargoed", "used")
    report = {
        "ledger": [{"symbol": "AAPL", **dict.fromkeys(bars, 999_999)}],
        "splits": {"train": part | shares, "validation": part},
        "inputs": 27,
        "parameters": 499,
        "warnings": [],
    }
    lines = dry_run_lines({**SUMMARY, "report": report})
    assert [line for line in lines if len(line) > 80] == []
    assert "of rows    BUY 0.400  SELL 0.600" in lines[4]
    assert "of weight  BUY 0.450  SELL 0.550" in lines[5]
