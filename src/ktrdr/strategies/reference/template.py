"""A strategy to begin with: it trains as it stands, and says beside each key what it means."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from ktrdr.strategies.label_spec import TripleBarrier
from ktrdr.strategies.learning import EarlyStopping, ModelSection, TrainingSection
from ktrdr.strategies.reference.keys import flow, key_rows
from ktrdr.strategies.strategy import DataSection, FeatureSection, SplitSection

WIDTH = 36  # columns before what a key means
GIVEN: Mapping[str, Mapping[str, str]] = {
    "data": {"symbols": "[AAPL]", "timeframe": "1d", "start": "2000-03-01", "end": "2013-03-01"},
    "features": {"lags": "[1, 2]"},
    "labels": {"type": "triple_barrier"},
    "split": {},
    "model": {"dropout": "0.2"},
    "training": {},
}
HEAD = """\
# A strategy: bars, indicators, fuzzy sets, labels, network. What has a default may be left out.
#   ktrdr strategies validate FILE    every mistake at its place
#   ktrdr strategies indicators       what indicators there are
#   ktrdr models train FILE           train it
"""
INPUTS = """\
indicators:                         # a name of your own, the type, its parameters
  rsi14: {type: rsi, period: 14}
  macd: {type: macd, fast: 12, slow: 26, signal: 9, scale: atr}
  dist50: {type: distance_ma, period: 50}

fuzzy:                              # sets by name: [left, 20, 40], [30, 50, 70], [right, 60, 80], or fitted
  rsi14: {oversold: [left, 20, 40], neutral: [30, 50, 70], overbought: [right, 60, 80]}
  macd.hist: {falling: [left, -0.3, 0], flat: [-0.2, 0, 0.2], rising: [right, 0, 0.3]}
  dist50: {sets: 3, fit: quantile, names: [below, near, above]}
"""
MODELS: Mapping[str, type[BaseModel]] = {
    "features": FeatureSection,
    "labels": TripleBarrier,
    "split": SplitSection,
    "model": ModelSection,
    "training": TrainingSection,
}


def template(name: str) -> str:
    """Return the text of a strategy of that name."""
    parts = [HEAD, f"name: {name}", "", *_section("data", DataSection), "", INPUTS.rstrip()]
    for section, model in MODELS.items():
        parts += ["", *_section(section, model)]
    return "\n".join((*parts, ""))


def _section(section: str, model: type[BaseModel]) -> Iterator[str]:
    given = GIVEN[section]
    yield f"{section}:"
    if "type" in given:
        yield f"  type: {given['type']}"
    for row in key_rows(model):
        value = given.get(row.name, row.default or "")
        if row.name == "early_stopping":
            value = flow(EarlyStopping().model_dump())
            yield f"  # {row.meaning}"
            yield f"  {row.name}: {value}"
        elif value != "null":
            yield f"  {row.name}: {value}".ljust(WIDTH) + f"# {row.meaning}"
