"""Trained models as lines of text: what tells them apart, and everything that is known of one.

A figure never stands without the label it is of: 0.75 on zigzag labels is worth less than 0.39 on barriers.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from ktrdr.cli.columns import aligned
from ktrdr.cli.figures import UNKNOWN
from ktrdr.cli.operation_adapters.training_tables import figure, judgement_lines, size
from ktrdr.cli.safe_text import safe

Model = Mapping[str, Any]

COLUMNS = (
    "NAME", "SYMBOLS", "TIMEFRAME", "LABEL", "WHEN", "SEED", "SKILL", "DIRECTION", "VERDICT", "SIZE"
)  # fmt: skip
RIGHT = frozenset({"SEED", "SKILL", "DIRECTION", "SIZE"})
MOST_SYMBOLS = 3
FIGURES = ("skill", "direction", "accuracy")
VERDICT_WORDS = {"yes": "beats", "no": "worse than"}
RIVALS = {"rsi_rule": "RSI rule", "direction": "a coin"}


class Sort(StrEnum):
    """What a list of models is sorted by."""

    WHEN = "when"
    NAME = "name"
    SKILL = "skill"
    DIRECTION = "direction"
    SIZE = "size"


def chosen(models: Sequence[Model], symbol: str | None, strategy: str | None, sort: Sort) -> list[Model]:
    """Return the models of a symbol and a strategy, sorted; what has no such figure comes last."""
    found = [
        each
        for each in models
        if (symbol is None or symbol in _summary(each).get("symbols", ()))
        and (strategy is None or strategy == str(each["name"]).partition("/")[0])
    ]
    if sort is Sort.NAME:
        return sorted(found, key=lambda each: str(each["name"]))
    if sort is Sort.WHEN:
        return found
    return sorted(found, key=lambda each: _rank(each, sort))


def model_lines(models: Sequence[Model]) -> list[str]:
    """Return a table of models."""
    return aligned(COLUMNS, map(_cells, models), right=RIGHT)


def csv_lines(models: Sequence[Model]) -> list[str]:
    """Return the same table for programs, figures with all their digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(name.lower() for name in COLUMNS)
    for each in models:
        known = _summary(each)
        symbols = " ".join(map(safe, known.get("symbols", ())))
        figures = [known.get(name) for name in ("seed", "skill", "direction")]
        words = (safe(known.get(name) or "") for name in ("timeframe", "label"))
        when, verdict = safe(each["created_at"]), verdict_words(known)
        writer.writerow([safe(each["name"]), symbols, *words, when, *figures, verdict, each["size"]])
    return stream.getvalue().splitlines()


def verdict_words(summary: Model) -> str:
    """Return the verdicts in a few words: what it beats and what it is worse than, else why neither."""
    answers = summary.get("verdicts") or {}
    rivals = {
        words: [RIVALS.get(name, safe(name)) for name, each in answers.items() if each == answer]
        for answer, words in VERDICT_WORDS.items()
    }
    told = [f"{words} {', '.join(names)}" for words, names in rivals.items() if names]
    return "; ".join(told) or str(next(iter(answers.values()), UNKNOWN))


def page_lines(model: Model) -> list[str]:
    """Return everything that is known of a model."""
    known, told = _summary(model), model.get("training")
    symbols = ", ".join(map(safe, known.get("symbols", ())))
    hidden = list(known.get("hidden", ()))
    facts = {
        "Trained": model["created_at"],
        "Operation": told["operation"] if told else UNKNOWN,
        "Label": known.get("label") or UNKNOWN,
        "Seed": UNKNOWN if known.get("seed") is None else str(known["seed"]),
        "Network": f"{known.get('inputs', UNKNOWN)} inputs, hidden {hidden}",
        "Classes": ", ".join(known.get("classes", ())),
        "Size": size(int(model["size"])),
        "Folder": model.get("folder") or UNKNOWN,
    }
    return [
        f"{safe(model['name'])} · {symbols} {safe(known.get('timeframe') or '')}".rstrip(),
        *(f"  {name:<11}{safe(words)}" for name, words in facts.items()),
        *(f"  {safe(line)}" for line in (_training_lines(told) if told else ())),
        *_judgement(model),
    ]


def _training_lines(told: Model) -> Iterator[str]:
    stopped = " (stopped early)" if told["stopped_early"] else ""
    yield f"{'Epochs':<11}best {told['best_epoch']} of {told['epochs_run']}{stopped}"
    seconds = f"{told['training_time_seconds']:.1f} s on {told['device']}"
    yield f"{'Time':<11}{seconds}, {told['parameters']:,} parameters"
    for warning in told["report"]["warnings"]:
        yield f"warning: {warning}"


def _judgement(model: Model) -> list[str]:
    """Return the metrics as the training told them, or what is left of them."""
    if model.get("metrics"):
        return judgement_lines(model["metrics"], verbose=True)
    known = _summary(model)
    figures = "   ".join(f"{name} {figure(known.get(name))}" for name in FIGURES)
    return [f"  {'Test':<11}{figures}", f"  {'Verdict':<11}{verdict_words(known)}"]


def _cells(model: Model) -> tuple[str, ...]:
    known = _summary(model)
    seed = known.get("seed")
    return (
        str(model["name"]),
        _symbols(known.get("symbols", ())),
        str(known.get("timeframe") or UNKNOWN),
        str(known.get("label") or UNKNOWN),
        str(model["created_at"])[:16].replace("T", " "),
        UNKNOWN if seed is None else str(seed),
        figure(known.get("skill")),
        figure(known.get("direction")),
        verdict_words(known),
        size(int(model["size"])),
    )


def _symbols(symbols: Sequence[str]) -> str:
    more = len(symbols) - MOST_SYMBOLS
    return ",".join(symbols[:MOST_SYMBOLS]) + (f" and {more} more" if more > 0 else "") or UNKNOWN


def _summary(model: Model) -> Model:
    """Return what tells a model apart; an older server does not say it."""
    return model.get("summary") or {}


def _rank(model: Model, sort: Sort) -> tuple[bool, float]:
    value = model["size"] if sort is Sort.SIZE else _summary(model).get(sort.value)
    return value is None, -float(value or 0.0)
