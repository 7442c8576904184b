"""How long to wait before asking again, whoever asks."""

from datetime import UTC, datetime, timedelta

import pytest

from ktrdr.backoff import Backoff, read_retry_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAYOUT = "%a, %d %b %Y %H:%M:%S"


def test_delays_grow_and_the_last_one_is_repeated() -> None:
    assert [Backoff().delay(failures, 0.5) for failures in range(1, 7)] == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 1.5), (0.5, 2.0), (1.0, 2.5)])
def test_a_delay_is_spread_by_a_quarter(fraction: float, expected: float) -> None:
    assert Backoff().delay(2, fraction) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("-3", -3.0),
        ("1e3", 1000.0),
        ((NOW + timedelta(seconds=9)).strftime(f"{LAYOUT} GMT"), 9.0),
        ((NOW + timedelta(seconds=9)).strftime(f"{LAYOUT} -0000"), 9.0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, expected: float | None) -> None:
    assert read_retry_after(text, NOW) == expected


@pytest.mark.parametrize(("text", "expected"), [("7", 7.0), ("-3", 0.0), ("inf", 60.0), ("soon", None)])
def test_what_is_asked_for_is_kept_within_a_minute(text: str, expected: float | None) -> None:
    assert Backoff().wanted(text, NOW) == expected
