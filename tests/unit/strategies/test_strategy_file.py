"""A broken strategy is one sentence at file:line:column; a good one survives being written out."""

from pathlib import Path

import pytest

from ktrdr.errors import StrategyInvalid
from ktrdr.strategies.lint import lint
from ktrdr.strategies.strategy_file import parse_strategy, strategy_to_yaml
from support.broken_files import BROKEN_STRATEGY

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()


@pytest.mark.parametrize(("good", "bad", "words"), BROKEN_STRATEGY)
def test_a_broken_strategy_is_one_sentence_with_its_place(good: str, bad: str, words: str) -> None:
    assert good in TEXT
    with pytest.raises(StrategyInvalid) as caught:
        parse_strategy(TEXT.replace(good, bad, 1), "s.yaml")
    assert words in caught.value.message
    assert caught.value.message.startswith("s.yaml:")
    assert caught.value.detail[1].strip().strip("^") == ""


def test_a_misspelt_key_gets_the_nearest_name() -> None:
    with pytest.raises(StrategyInvalid) as caught:
        parse_strategy(TEXT.replace("period: 14", "perod: 14", 1), "s.yaml")
    assert caught.value.hint == "did you mean `period`?"


@pytest.mark.parametrize("text", ["", "[]", "a" * 300_000, "a: " + "[" * 40 + "]" * 40])
def test_what_is_no_strategy_at_all_is_refused(text: str) -> None:
    with pytest.raises(StrategyInvalid):
        parse_strategy(text, "s.yaml")


def test_a_strategy_survives_being_written_out() -> None:
    strategy = parse_strategy(TEXT, "s.yaml")
    assert parse_strategy(strategy_to_yaml(strategy), "again.yaml") == strategy


def test_lint_says_what_zigzag_labels_are_worth() -> None:
    text = TEXT.replace("triple_barrier, horizon: 10, up: 2.0, down: 2.0, unit: atr", "zigzag")
    assert any(
        "zigzag labels describe the present trend" in each for each in lint(parse_strategy(text, "s.yaml"))
    )
    assert lint(parse_strategy(TEXT, "s.yaml")) == ()


def test_lint_names_an_unused_indicator_and_a_set_out_of_range() -> None:
    text = TEXT.replace("fuzzy:", "  adx14: {type: adx}\nfuzzy:").replace(
        "[right, 60, 80]", "[right, 160, 180]"
    )
    warnings = lint(parse_strategy(text, "s.yaml"))
    assert "indicator `adx14` is not used by any fuzzy set" in warnings
    assert "set `overbought` of `rsi14` lies outside the indicator's range" in warnings
