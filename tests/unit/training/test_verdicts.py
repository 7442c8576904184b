"""What may be said of a model: of paired differences, behind the gate of the prior, one sentence."""

import numpy as np
import numpy.typing as npt
import pytest

from ktrdr.training.intervals import OverlappingDates
from ktrdr.training.verdicts import RIVALS, judge, sentence

CLASSES = ("BUY", "HOLD", "SELL")
PI = np.array([0.4, 0.35, 0.25])
ROWS = 200
DATES = OverlappingDates.of(np.arange(ROWS), 5)
Table = npt.NDArray[np.float64]


def truth(seed: int) -> npt.NDArray[np.int32]:
    return np.random.default_rng(seed).choice(3, ROWS, p=PI).astype(np.int32)


def knowing(y: npt.NDArray[np.int32], share: float) -> Table:
    """Probabilities that lie between the class shares and the truth; a negative share leans away from it."""
    mixed = np.maximum((1 - share) * PI + share * np.eye(3)[y], 0.01)
    return np.asarray(mixed / mixed.sum(axis=1, keepdims=True))


def prior() -> Table:
    return np.tile(PI, (ROWS, 1))


def test_the_constant_model_beats_nothing_however_bad_its_opponents_are() -> None:
    y = truth(1)
    rivals = {"prior": prior(), "rsi_rule": knowing(y, -0.5), "linear": knowing(y, -0.9)}
    answers = judge(y, prior(), rivals, CLASSES, DATES)
    assert {answers[name] for name in RIVALS} == {"not distinguishable"}
    assert answers["intervals"]["linear"][0] > 0, "it is better than the opponent, and still says nothing"


def test_a_model_that_knows_beats_all_and_one_that_errs_is_worse_than_all() -> None:
    y = truth(2)
    rivals = {"prior": prior(), "rsi_rule": prior(), "linear": prior()}
    assert {judge(y, knowing(y, 0.5), rivals, CLASSES, DATES)[name] for name in RIVALS} == {"yes"}
    assert {judge(y, knowing(y, -0.5), rivals, CLASSES, DATES)[name] for name in RIVALS} == {"no"}


def test_what_the_opponent_knows_as_well_is_no_difference() -> None:
    y = truth(3)
    rivals = {"prior": prior(), "rsi_rule": knowing(y, 0.3), "linear": knowing(y, 0.9)}
    answers = judge(y, knowing(y, 0.3), rivals, CLASSES, DATES)
    assert (answers["prior"], answers["rsi_rule"], answers["linear"]) == ("yes", "not distinguishable", "no")


def test_over_too_few_dates_nothing_is_judged() -> None:
    y = truth(4)
    rivals = {"prior": prior(), "rsi_rule": prior(), "linear": prior()}
    few = OverlappingDates.of(np.arange(ROWS), ROWS)
    answers = judge(y, knowing(y, 0.5), rivals, CLASSES, few)
    assert {answers[name] for name in RIVALS} == {"too few dates"}
    assert set(answers["intervals"].values()) == {None}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (
            ("yes", "yes", "not distinguishable", "not distinguishable", "no"),
            "beats the prior and the RSI rule; is worse than a coin (direction); "
            "not distinguishable from the linear model or majority (accuracy)",
        ),
        (
            ("too few dates",) * 5,
            "too few dates to judge against the prior, the RSI rule, the linear model, majority (accuracy) "
            "or a coin (direction)",
        ),
    ],
)
def test_the_sentence_names_every_opponent_once(answers: tuple[str, ...], words: str) -> None:
    said = sentence(dict(zip(RIVALS, answers, strict=True)), scored_before=10)
    assert said == f"{words} on the test period (11th model scored on it)"
