"""A source is not asked more often than it bears, however many processes ask it."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ktrdr.market_data.providers.pacing import Pace, PacingBudget
from support.local_sources import StillClock

PACE = Pace(3, 10.0)


def budget(folder: Path | None, clock: StillClock, pace: Pace = PACE) -> PacingBudget:
    return PacingBudget("source", pace, folder, clock=clock, sleep=clock.sleep)


@pytest.fixture(params=["in memory", "in a folder"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "pacing" if request.param == "in a folder" else None


def test_as_many_as_the_pace_allows_go_at_once_and_the_next_waits_for_the_oldest(folder: Path | None) -> None:
    clock = StillClock()
    paced = budget(folder, clock)
    for pause in (1.0, 2.0, 0.0):
        paced.take()
        clock.advance(pause)
    paced.take()
    assert clock.slept == [7.0]


def test_no_ten_seconds_ever_have_more_than_three_requests(folder: Path | None) -> None:
    clock = StillClock()
    paced = budget(folder, clock)
    went = []
    for number in range(20):
        paced.take()
        went.append(clock.now())
        clock.advance(0.7 * (number % 4))
    crowds = [sum(start <= each < start + timedelta(seconds=10) for each in went) for start in went]
    assert max(crowds) == 3


def test_processes_share_what_they_may_ask(tmp_path: Path) -> None:
    clock = StillClock()
    for _ in range(3):
        budget(tmp_path, clock).take()
    budget(tmp_path, clock).take()
    assert clock.slept == [10.0]


def test_sources_do_not_share(tmp_path: Path) -> None:
    clock = StillClock()
    for source in ("one", "other"):
        paced = PacingBudget(source, PACE, tmp_path, clock=clock, sleep=clock.sleep)
        for _ in range(3):
            paced.take()
    assert clock.slept == []


def test_requests_at_the_same_time_are_all_counted(tmp_path: Path) -> None:
    clock = StillClock()
    pace = Pace(40, 10.0)
    threads = [threading.Thread(target=budget(tmp_path, clock, pace).take) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.slept == []
    budget(tmp_path, clock, pace).take()
    assert clock.slept == [10.0]


def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_the_pace(tmp_path: Path) -> None:
    tomorrow = StillClock(datetime(2030, 1, 1, tzinfo=UTC))
    for _ in range(3):
        budget(tmp_path, tomorrow).take()
    today = StillClock()
    budget(tmp_path, today).take()
    assert today.slept == [10.0]


@pytest.mark.parametrize("left", [b"", b"[1, 2", b"{}", b'["x"]', b"[null]", b"7", b"\xff"])
def test_what_a_process_left_half_written_counts_as_nothing(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "source.json").write_bytes(left)
    clock = StillClock()
    budget(tmp_path, clock).take()
    assert clock.slept == []
