"""A broken strategy is one sentence at file:line:column; a good one survives being written out."""

from pathlib import Path

import pytest

from ktrdr.errors import StrategyInvalid
from ktrdr.strategies.lint import lint
from ktrdr.strategies.strategy_file import parse_strategy, strategy_to_yaml

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()

BROKEN = [
    ("period: 14", "perod: 14", "s.yaml:5:22: unknown key `perod`"),
    ("epochs: 200", "epochs: 0", "s.yaml:17:3: `epochs` in `training` should be greater than"),
    ("[left, 20, 40]", "[left, 40, 20]", "the points of `left` must rise"),
    ("  rsi14: {over", "  rsx: {over", "there is no indicator `rsx`"),
    ("horizon: 10", "horizen: 10", "unknown key `horizen`"),
    ("scale: atr", "scale: none", "must be scale-free"),
    ("name: trend_momentum", "nme: trend", "`name` is missing"),
    ("{train: 0.70", "{type: walk_forward, train: 0.70", "is not available yet"),
    ("type: rsi", "type: rsii", "unknown indicator type `rsii`"),
    ("seed: 42", "seed: &a 42", "anchors and aliases are not allowed"),
    ("  seed: 42", "  seed: 42\n  seed: 43", "duplicate key"),
    ("AAPL", "!!python/object:os.system x", "tags are not allowed"),
    ("start: 2000-03-01", "start: NO", "`start` in `data` should be a valid date"),
    ("train: 0.70", "train: 0.50", "must sum to 1"),
    ("description: Trend", "description: [Trend", "not valid YAML"),
]


@pytest.mark.parametrize(("good", "bad", "words"), BROKEN)
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


def test_lint_names_an_unused_indicator_and_a_set_out_of_range() -> None:
    text = TEXT.replace("fuzzy:", "  adx14: {type: adx}\nfuzzy:").replace(
        "[right, 60, 80]", "[right, 160, 180]"
    )
    warnings = lint(parse_strategy(text, "s.yaml"))
    assert "indicator `adx14` is not used by any fuzzy set" in warnings
    assert "set `overbought` of `rsi14` lies outside the indicator's range" in warnings
