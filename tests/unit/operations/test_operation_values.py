"""The values that travel: operations, cursors, ids, events, frames and progress."""

import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from ktrdr.operations import events
from ktrdr.operations.channel import HEADER_SIZE, LARGEST_FRAME, frame, frame_length
from ktrdr.operations.identifier import new_operation_id
from ktrdr.operations.operation import (
    OperationStatus,
    WorkerIdentity,
    format_cursor,
    parse_cursor,
    to_public_dict,
)
from ktrdr.operations.progress import (
    GenericProgressState,
    PhaseProgress,
    enter_phase,
    overall_percentage,
)
from support.operations import LOST, NOW, WRONG, an_operation, cancelling

SAID: tuple[events.WorkerEvent, ...] = (
    events.Started(1, WorkerIdentity("host", 42, 1.5)),
    events.Progressed(1, GenericProgressState("op", 50.0, phases=(PhaseProgress("load"),), context={"a": 1})),
    events.Checkpointed(1, "epoch-2"),
    events.Succeeded(1, {"counted": 3}, ("careful",)),
    events.Failed(1, WRONG),
    events.Cancelled(1),
    events.LeaseLost(1, LOST),
)


@pytest.mark.parametrize("event", SAID, ids=lambda event: event.type)
def test_what_a_worker_says_arrives_as_it_was(event: events.WorkerEvent) -> None:
    assert events.event_from_json(events.event_to_json(event)) == event


def test_what_no_worker_says_is_refused() -> None:
    with pytest.raises(ValidationError):
        events.event_from_json(b'{"type": "claimed", "fence": 1}')


def test_a_result_without_a_number_says_null() -> None:
    said = events.event_to_json(events.Succeeded(1, {"ratio": float("nan")}))
    assert json.loads(said)["result"] == {"ratio": None}


def test_text_with_half_a_character_is_said_with_its_escape() -> None:
    """A file name that is not in UTF-8, in an error or a result, at any depth."""
    name = b"b\xe4rs.csv".decode(errors="surrogateescape")
    result = {"files": [{"name": name, "rows": 3}], name: float("nan")}
    said = events.event_from_json(events.event_to_json(events.Succeeded(1, result, (name,))))
    told = r"b\udce4rs.csv"
    assert said == events.Succeeded(1, {"files": [{"name": told, "rows": 3}], told: None}, (told,))


def test_a_cursor_is_read_back() -> None:
    assert parse_cursor(format_cursor((10, 2, 3))) == (10, 2, 3)


@pytest.mark.parametrize("text", ["", "1.2", "1.2.3.4", "1.x.3"])
def test_what_is_no_cursor_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_cursor(text)


def test_an_operation_is_at_its_version_attempt_and_report() -> None:
    operation = an_operation(version=4, attempt=2, progress=GenericProgressState(seq=7))
    assert operation.cursor == (4, 2, 7)


def test_ids_carry_the_kind_and_never_meet() -> None:
    minted = {new_operation_id("train") for _ in range(1000)}
    assert len(minted) == 1000
    assert all(len(each) == len("op_train_") + 12 and each.startswith("op_train_") for each in minted)


def test_an_open_operation_is_shown_without_what_it_has_not_got() -> None:
    shown = to_public_dict(an_operation(), NOW)
    assert {name for name, value in shown.items() if value is None} == {
        *("started_at", "completed_at", "result_summary", "error_message", "error"),
        *("cancel_requested", "resumed_from"),
    }
    assert shown["cursor"] == "1.0.0"
    assert shown["status"] == "pending"


def test_an_ended_operation_is_shown_with_its_error_and_who_cancelled() -> None:
    ended = cancelling(status=OperationStatus.CANCELLED, error=WRONG, completed_at=NOW)
    shown = json.loads(json.dumps(to_public_dict(ended, NOW)))
    assert shown["error_message"] == WRONG.detail
    assert shown["error"] == {
        "reason": "error",
        "code": "training_failed",
        "detail": WRONG.detail,
        "hint": None,
    }
    assert shown["cancel_requested"] == {"at": NOW.isoformat(), "by": "alice", "reason": "too slow"}
    assert shown["started_at"] == shown["completed_at"] == shown["server_time"] == NOW.isoformat()


def test_a_frame_announces_its_length() -> None:
    framed = frame(b"hello")
    assert (frame_length(framed[:HEADER_SIZE]), framed[HEADER_SIZE:]) == (5, b"hello")


def test_a_frame_may_be_one_mebibyte_and_not_more() -> None:
    assert frame_length(frame(b"x" * LARGEST_FRAME)[:HEADER_SIZE]) == LARGEST_FRAME
    with pytest.raises(ValueError, match="1,048,577 bytes is larger than 1,048,576"):
        frame(b"x" * (LARGEST_FRAME + 1))
    with pytest.raises(ValueError, match="larger"):
        frame_length(b"\xff\xff\xff\xff")


def test_progress_is_read_back_from_its_json_and_forgets_what_it_does_not_know() -> None:
    progress = GenericProgressState("op", 50.0, "load", seq=3, phases=(PhaseProgress("load", 2.0, 25.0),))
    shape = json.loads(json.dumps(progress.to_dict()))
    shape["phases"][0]["colour"] = "blue"
    assert GenericProgressState.from_dict("op", {**shape, "future": 1}) == progress


def test_the_whole_is_the_weighted_mean_of_its_phases() -> None:
    phases = (PhaseProgress("load", 1.0, 100.0), PhaseProgress("train", 3.0, 20.0))
    assert overall_percentage(phases) == 40.0


@pytest.mark.parametrize("phases", [(), (PhaseProgress("load", 0.0, 50.0),)])
def test_without_weight_nothing_is_done(phases: tuple[PhaseProgress, ...]) -> None:
    assert overall_percentage(phases) == 0.0


def test_entering_a_phase_finishes_those_before_and_no_other() -> None:
    phases = tuple(PhaseProgress(name, percentage=10.0) for name in "abc")
    entered = enter_phase(phases, "b")
    assert entered == (replace(phases[0], percentage=100.0), *phases[1:])


def test_a_phase_that_was_not_planned_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        enter_phase((PhaseProgress("load"),), "lunch")


def test_what_has_completed_is_at_its_end_in_every_phase() -> None:
    phases = (PhaseProgress("load", 3, 100.0), PhaseProgress("train", 1, 20.0, message="epoch 2"))
    finished = GenericProgressState(
        percentage=80.0,
        phases=phases,
        steps_total=2,
        steps_completed=1,
        estimated_remaining_seconds=3.0,
        seq=4,
    ).finished()
    assert [phase.percentage for phase in finished.phases] == [100.0, 100.0]
    assert (finished.percentage, finished.steps_completed, finished.seq) == (100.0, 2, 4)
    assert finished.estimated_remaining_seconds is None
    assert finished.phases[1].message == "epoch 2"
