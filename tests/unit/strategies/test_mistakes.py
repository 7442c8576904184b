"""Every mistake in a strategy is told at once, each at its place, in the words of the file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ktrdr.errors import StrategyInvalid
from ktrdr.kinds.training import TrainingRequest
from ktrdr.strategies.strategy_file import parse_strategy, strategy_to_yaml

TEXT = (Path(__file__).parents[3] / "examples" / "strategies" / "trend_momentum.yaml").read_text()
LABELS = "{type: triple_barrier, horizon: 10, up: 2.0, down: 2.0, unit: atr}"
WRONG = [None, True, -1, 10**30, 1.5, float("nan"), "x", "2024-01-31T10:00", [], ["x", 0], {}, {"x": 1}]
FOREIGN = (
    "Input",
    "Value error",
    "valid ",
    "tuple",
    "dictionary",
    "expected tag",
    "pattern",
    "permitted",
)


def changed(*pairs: tuple[str, str]) -> str:
    text = TEXT
    for good, bad in pairs:
        assert good in text
        text = text.replace(good, bad, 1)
    return text


def refusal(text: str) -> StrategyInvalid:
    with pytest.raises(StrategyInvalid) as caught:
        parse_strategy(text, "s.yaml")
    return caught.value


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    error = refusal(
        changed(
            ("period: 14", "perod: 14"),
            ("macd.hist", "macd.hst"),
            ("[left, -0.3, 0]", "[left, 0.3, 0]"),
            ("lags: [1, 2]", "lags: [1, x]"),
            ("horizon: 10", "horizn: 10"),
            ("hidden: [16]", "hidden: [0]"),
            ("epochs: 200", "epochs: 0"),
        )
    )
    assert [(line, column) for line, column, *_ in error.mistakes] == [
        (5, 22),
        (10, 3),
        (10, 14),
        (12, 22),
        (13, 32),
        (15, 29),
        (17, 3),
    ]
    assert error.message == "s.yaml:5:22: unknown key `perod` in `indicators.rsi14`"
    assert "s.yaml:12:22: item 2 of `features.lags` should be a whole number" in error.detail
    assert any(line.endswith("^^^^^^ did you mean `horizon`?") for line in error.detail)
    assert error.hint is not None
    assert error.hint.startswith("7 mistakes")


@pytest.mark.parametrize(
    ("good", "bad", "message", "hint"),
    [
        (
            "sets: 3, fit: quantile",
            "sets: 3",
            "11:3: `fit` is missing in `fuzzy.dist50`",
            "write `fit: q",
        ),
        ("[AAPL]", "[AAPL, 'A B']", "3:24: item 2 of `data.symbols`: `A B` is no symbol", None),
        ("[AAPL]", "AAPL", "3:8: `symbols` in `data` should be a list", "write `[AAPL]`"),
        ("sets: 3, fit", "fit", "11:3: `sets` is missing in `fuzzy.dist50`", None),
        (
            LABELS,
            "{type: zigzag, horizon: 5}",
            "13:24: unknown key `horizon` in `labels`",
            "there are `type`",
        ),
        (
            LABELS,
            "{type: zigzg}",
            "13:10: unknown label type `zigzg`; known are",
            "did you mean `zigzag`?",
        ),
        (LABELS, "{horizon: 5}", "13:1: `type` is missing in `labels`", "there are `triple_barrier`"),
        (LABELS, "zigzag", "13:1: `labels` should be a mapping", None),
        (
            "type: rsi",
            "type: rsii",
            "5:11: unknown indicator type `rsii`; known are `adx`",
            "did you mean `rsi`?",
        ),
        ("type: rsi, ", "", "5:3: `type` is missing in `indicators.rsi14`", "there are `adx`"),
        ("type: rsi, period", "type: rsi, fast", "5:22: unknown key `fast` in", "there are `type`"),
        ("indicators:", "indicatrs:", "4:1: unknown key `indicatrs`", "did you mean `indicators`?"),
        ("training:", "trainig:", "16:1: unknown key `trainig`", "did you mean `training`?"),
        ("lags: [1, 2]", "lags: [1, x]", "12:22: item 2 of `features.lags` should be a whole number", None),
        (
            "unit: atr",
            "unit: art",
            "13:65: `unit` in `labels` should be `atr` or `percent`",
            "did you mean `atr`?",
        ),
        ("[AAPL]", "[600519]", "3:18: item 1 of `data.symbols` should be text", "put it in quotes"),
        ("[left, 20, 40]", "[lft, 20, 40]", "9:11: `fuzzy.rsi14.oversold`: there is no shape `lft`", None),
        (
            "[left, 20, 40]",
            "[left, a, 40]",
            "9:11: `fuzzy.rsi14.oversold`: the points of a fuzzy set",
            None,
        ),
        (
            "  rsi14: {ov",
            "  rsi41: {ov",
            "9:3: fuzzy sets for `rsi41`, but there is no",
            "did you mean `rsi14`?",
        ),
        ("scale: atr", "scale: none", "10:3: `macd.hist` is in price units", "write `scale: atr`"),
        (
            "optimizer: adamw",
            "optimizer: adam",
            "21:3: `training`: weight_decay has no effect",
            None,
        ),
        ("start: 2000", "start: 2020", "3:40: `data`: start 2020-03-01 is after end", None),
        (
            "period: 14",
            "timeframe: 1d",
            "5:22: an indicator on a higher timeframe is not",
            None,
        ),
        ("name: trend", "name: My trend", "1:1: `name` should be small letters, digits and `_`", None),
    ],
)
def test_a_mistake_is_told_in_words_of_the_file(good: str, bad: str, message: str, hint: str | None) -> None:
    error = refusal(changed((good, bad)))
    assert error.message.startswith(f"s.yaml:{message}")
    assert len(error.mistakes) == 1
    assert (error.hint or "").startswith(hint or "")
    assert (error.hint is None) == (hint is None)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path of every key and item of a document."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


DOCUMENT = yaml.safe_load(TEXT.replace("2000-03-01", "'2000-03-01'").replace("2013-03-01", "'2013-03-01'"))


@pytest.mark.parametrize("path", list(places(DOCUMENT)), ids=lambda path: ".".join(map(str, path)))
def test_no_wrong_value_anywhere_brings_the_validators_words(path: tuple[Any, ...]) -> None:
    for value in WRONG:
        document = yaml.safe_load(yaml.safe_dump(DOCUMENT))
        node = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = value
        try:
            parse_strategy(yaml.safe_dump(document), "s.yaml")
        except StrategyInvalid as error:
            words = " ".join((error.message, error.hint or "", *error.detail))
            assert not any(each in words for each in FOREIGN), words
            assert not re.search(r"[a-z]\.\d+`", words), words


def test_very_many_mistakes_are_cut_short_and_the_cut_is_said() -> None:
    error = refusal(changed(("[1, 2]", "[" + "x, " * 5000 + "]")))
    assert len(error.detail) < 70
    assert "the first 20 of them above" in str(error.hint)


@pytest.mark.parametrize("weight_decay", ["", "  weight_decay: 0.0\n"])
def test_adam_without_weight_decay_is_what_it_says(weight_decay: str) -> None:
    text = changed(("optimizer: adamw", "optimizer: adam"), ("  weight_decay: 0.0001\n", weight_decay))
    assert parse_strategy(text, "s.yaml").training.weight_decay == 0.0


@pytest.mark.parametrize(
    "pairs",
    [
        [("  optimizer: adamw\n", "  optimizer: adam\n"), ("  weight_decay: 0.0001\n", "")],
        [("hidden: [16], activation: relu, dropout: 0.2", "hidden: []")],
        [
            (
                "  early_stopping: {monitor: val_loss, patience: 20, min_delta: 0.0001}",
                "  early_stopping: null",
            )
        ],
        [(LABELS, "{type: zigzag}")],
        [(LABELS, "{type: forward_return}")],
        [("[AAPL]", "['600519', '1e3', '0x10', 'true', 'null', '.5', BTC/USDT, ^GSPC]")],
        [("description: Trend and momentum, fuzzified", "description: 'a: \"b\" # c\\n'")],
        [(", start: 2000-03-01, end: 2013-03-01", "")],
    ],
    ids=["adam", "linear", "no stopping", "zigzag", "forward return", "symbols", "words", "no dates"],
)
def test_defaults_are_not_held_against_a_file_that_is_written_out_or_partly_replaced(
    pairs: list[tuple[str, str]],
) -> None:
    text = changed(*pairs)
    strategy = parse_strategy(text, "s.yaml")
    assert parse_strategy(strategy_to_yaml(strategy), "again.yaml") == strategy
    replaced = TrainingRequest(strategy_name="s.yaml", strategy=text, seed=7, epochs=3).resolved()
    assert replaced.training == strategy.training.model_copy(update={"seed": 7, "epochs": 3})


@pytest.mark.parametrize(
    ("good", "bad", "key", "words"),
    [
        ("lags: [1, 2]", "lags: [1, 2, 1]", "lags", "`features`: lags names 1 twice"),
        ("symbols: [AAPL]", "symbols: [AAPL, IBM, IBM]", "symbols", "`data`: symbols names IBM twice"),
    ],
)
def test_what_is_named_twice_is_named_at_its_key(good: str, bad: str, key: str, words: str) -> None:
    text = changed((good, bad))
    ((line, column, message, _),) = refusal(text).mistakes
    assert message == words
    assert text.splitlines()[line - 1][column - 1 :].startswith(key)
