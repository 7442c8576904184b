"""What people and editors are told of the grammar is the grammar that is read."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ktrdr.errors import StrategyInvalid
from ktrdr.strategies.lint import lint
from ktrdr.strategies.reading.located_yaml import read_yaml
from ktrdr.strategies.reference.json_schema import strategy_schema
from ktrdr.strategies.reference.pages import SECTIONS, strategy_page
from ktrdr.strategies.reference.template import template
from ktrdr.strategies.strategy_file import parse_strategy, strategy_to_yaml

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "strategies").glob("*.yaml"))
TEXT = template("mine")
OTHER = """\
name: other
data: {symbols: [IBM]}
indicators: {atr: {type: atr}, stoch: {type: stoch, k: 9}}
fuzzy:
  atr: {low: [gaussian, 0.01, 0.01], high: [trapezoid, 0.01, 0.02, 0.03, 0.04]}
  stoch.k: {sets: {down: [left, 10, 30], up: [50, 60, 70, 80]}}
labels: {type: forward_return, threshold: 0.1}
training: {early_stopping: null, optimizer: adam}
"""


def complaints(text: str) -> list[Any]:
    return list(Draft202012Validator(strategy_schema()).iter_errors(read_yaml(text, "s.yaml").value))


def test_the_template_is_a_strategy_without_a_doubt() -> None:
    strategy = parse_strategy(TEXT, "mine.yaml")
    assert strategy.name == "mine"
    assert lint(strategy) == ()


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(strategy_schema())


@pytest.mark.parametrize("text", [TEXT, OTHER, *(each.read_text() for each in EXAMPLES)])
def test_the_schema_takes_what_is_read_and_what_is_written_out(text: str) -> None:
    assert complaints(text) == []
    assert complaints(strategy_to_yaml(parse_strategy(text, "s.yaml"))) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("period: 14", "perod: 14"),
        ("period: 14", "period: x"),
        ("type: rsi", "type: rsii"),
        ("indicators:", "indicatrs:"),
        ("oversold: [left, 20, 40]", "oversold: [left, 20]"),
        ("oversold: [left, 20, 40]", "oversold: [lft, 20, 40]"),
        ("sets: 3, fit", "sets: 3, ft"),
        ("triple_barrier", "triple"),
        ("epochs: 200", "epochs: 0"),
        ("hidden: [16]", "hidden: [0]"),
    ],
)
def test_the_schema_refuses_what_is_refused(good: str, bad: str) -> None:
    text = TEXT.replace(good, bad, 1)
    assert text != TEXT
    assert complaints(text)
    with pytest.raises(StrategyInvalid):
        parse_strategy(text, "s.yaml")


def test_every_key_has_its_line_on_the_page() -> None:
    page = strategy_page()
    told = {"type", "data", "indicators", "fuzzy", *(each.partition(",")[0] for each, _ in SECTIONS)}
    for _, model in SECTIONS:
        for name, field in model.model_fields.items():
            assert name in told if field.description is None else f"| `{name}` |" in page
