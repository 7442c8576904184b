"""The pages about strategies and indicators, in Markdown."""

import inspect
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from ktrdr.strategies.fuzzy_spec import SHAPE_POINTS, QuantileSets
from ktrdr.strategies.indicator_specs import INDICATOR_SPECS
from ktrdr.strategies.label_spec import LABELS
from ktrdr.strategies.learning import EarlyStopping, ModelSection, TrainingSection
from ktrdr.strategies.lint import USUAL
from ktrdr.strategies.reference.indicators import indicator_rows, range_words
from ktrdr.strategies.reference.keys import key_rows
from ktrdr.strategies.reference.template import template
from ktrdr.strategies.strategy import DataSection, FeatureSection, SplitSection, Strategy

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("", Strategy),
    ("data", DataSection),
    ("features", FeatureSection),
    *((f"labels, `type: {name}`", model) for name, model in LABELS.items()),
    ("split", SplitSection),
    ("model", ModelSection),
    ("training", TrainingSection),
    ("training.early_stopping", EarlyStopping),
)
SHAPES = {
    "left": "1 up to the first point, 0 from the second",
    "right": "0 up to the first point, 1 from the second",
    "triangle": "0, 1 and 0 at its points; the kind may be left out",
    "trapezoid": "0, 1, 1 and 0 at its points; the kind may be left out",
    "gaussian": "1 in the middle, then by the width, the standard deviation",
}


def strategy_page() -> str:
    """Return the reference of strategy files."""
    lines = [
        "# Strategy files",
        "",
        "A strategy is one YAML file. `ktrdr strategies new FILE` writes this one, which trains as it",
        "stands; `validate` tells every mistake at its place, `show` writes all defaults out, `schema` is",
        "for editors.",
        "",
        "```yaml",
        template("my_strategy").rstrip(),
        "```",
        "",
        "At most 256 kB, 32 levels and 10,000 keys and values; no anchors, tags or keys given twice.",
    ]
    for name, model in SECTIONS:
        lines += ["", f"## {_title(name)}", "", _purpose(model), "", *_key_table(name, model)]
    return "\n".join((*lines, *_fuzzy_lines(), ""))


def indicators_page() -> str:
    """Return the reference of indicators."""
    header = ("type", "what", "outputs", "range", "warm-up", "parameters")
    rows = [
        (
            f"`{each.name}`",
            each.meaning,
            " ".join(f"`{output}`" for output in each.outputs),
            range_words(each.minimum, each.maximum),
            f"{each.warm_up} bars",
            " ".join(f"`{row.name}: {row.default}`" for row in each.parameters),
        )
        for each in indicator_rows()
    ]
    lines = [
        "# Indicators",
        "",
        "An output is named as the indicator itself, or as `id.output` where there are several. Warm-up is",
        "with the parameters as they stand: so many bars at the beginning have no value.",
        "",
        *_table(header, rows),
    ]
    for name, spec in INDICATOR_SPECS.items():
        lines += ["", f"## {name}", "", f"{spec.meaning}.", "", *_key_table("", spec.parameters)]
    return "\n".join((*lines, ""))


def _title(name: str) -> str:
    return name or "The whole"


def _purpose(model: type[BaseModel]) -> str:
    return inspect.getdoc(model) or ""


def _key_table(section: str, model: type[BaseModel]) -> Iterator[str]:
    prefix = section.partition(",")[0]
    rows = []
    for each in key_rows(model):
        usual = USUAL.get(f"{prefix}.{each.name}")
        words = f" Usual: {usual[0]:g} to {usual[1]:g}." if usual else ""
        default = "must be given" if each.default is None else f"`{each.default}`"
        rows.append((f"`{each.name}`", each.allowed, default, each.meaning + words))
    return _table(("key", "may be", "default", "meaning"), rows)


def _fuzzy_lines() -> list[str]:
    shapes = [(f"`{name}`", str(count), SHAPES[name]) for name, count in SHAPE_POINTS.items()]
    return [
        "",
        "## fuzzy",
        "",
        "For each output of an indicator its sets: shapes by name, as `[left, 20, 40]` or `[30, 50, 70]`, or",
        "sets fitted to the training rows. Each set is an input of the network.",
        "",
        *_table(("shape", "numbers", "membership"), shapes),
        "",
        _purpose(QuantileSets),
        "",
        *_key_table("", QuantileSets),
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
