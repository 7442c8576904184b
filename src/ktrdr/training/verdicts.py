"""Verdicts: what may be said of a model on its test period, and what may not.

A verdict is of a *paired* difference of log-loss on the same rows, and `beats` has a gate: the model must
beat the opponent and the training shares as well, else a model that knows nothing would "beat" every opponent
that says something false. Accuracy is held against the majority alone, direction against a coin.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ktrdr.training.intervals import Interval, OverlappingDates
from ktrdr.training.metrics import Classes, Probabilities, direction_rows, log_losses

COIN = 0.5
RIVALS = {
    "prior": "the prior",
    "rsi_rule": "the RSI rule",
    "linear": "the linear model",
    "majority": "majority (accuracy)",
    "direction": "a coin (direction)",
}
PHRASES = {
    "yes": ("beats", "and"),
    "no": ("is worse than", "and"),
    "not distinguishable": ("not distinguishable from", "or"),
    "too few dates": ("too few dates to judge against", "or"),
}


def judge(
    y: Classes,
    model: Probabilities,
    rivals: Mapping[str, Probabilities],
    classes: Sequence[str],
    dates: OverlappingDates,
) -> dict[str, Any]:
    """Return the answer by rival, and the intervals of how much better the model is.

    `rivals` are the probabilities [n, K] of `prior`, `rsi_rule` and `linear` on the rows that `model` is of.
    """
    intervals = _intervals(y, model, rivals, classes, dates)
    answers = {name: _answer(each) for name, each in intervals.items()}
    for name in ("rsi_rule", "linear"):
        if answers[name] == "yes" and answers["prior"] != "yes":
            answers[name] = "not distinguishable"
    return {**answers, "intervals": {name: as_pair(each) for name, each in intervals.items()}}


def sentence(answers: Mapping[str, Any], scored_before: int) -> str:
    """Return the verdict in words, and how many models were scored on the period with this one."""
    parts = [
        f"{phrase} {_listed([RIVALS[name] for name in RIVALS if answers[name] == answer], joint)}"
        for answer, (phrase, joint) in PHRASES.items()
        if any(answers[name] == answer for name in RIVALS)
    ]
    return f"{'; '.join(parts)} on the test period ({_ordinal(scored_before + 1)} model scored on it)"


def as_pair(interval: Interval | None) -> list[float] | None:
    """Return an interval as JSON has it."""
    return [interval.low, interval.high] if interval else None


def _intervals(
    y: Classes,
    model: Probabilities,
    rivals: Mapping[str, Probabilities],
    classes: Sequence[str],
    dates: OverlappingDates,
) -> dict[str, Interval | None]:
    """Return for each rival the interval of how much better the model is."""
    own = log_losses(y, model)
    better = {name: dates.mean(log_losses(y, each) - own) for name, each in rivals.items()}
    right = (model.argmax(axis=1) == y).astype(float)
    majority = (rivals["prior"].argmax(axis=1) == y).astype(float)
    called, decided = direction_rows(y, model, rivals["prior"][0], classes)
    direction = dates.ratio(called - COIN * decided, decided)
    return {**better, "majority": dates.mean(right - majority), "direction": direction}


def _answer(better: Interval | None) -> str:
    if better is None:
        return "too few dates"
    if better.low > 0:
        return "yes"
    return "no" if better.high < 0 else "not distinguishable"


def _listed(names: Sequence[str], joint: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joint} {names[-1]}"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else ending}"
