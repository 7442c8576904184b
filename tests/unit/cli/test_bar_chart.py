"""Candlesticks: as large as asked, dated, and plain where colour is not wanted."""

from typing import Any

import pytest

from ktrdr.cli.bar_chart import bar_chart


def bars(*closes: float) -> list[dict[str, Any]]:
    return [
        {
            "time": f"2020-01-{day:02}T00:00:00+00:00",
            "open": each - 1,
            "high": each + 2,
            "low": each - 3,
            "close": each,
        }
        for day, each in enumerate(closes, start=1)
    ]


@pytest.mark.parametrize("count", [1, 2, 28])
@pytest.mark.parametrize(("width", "height"), [(40, 8), (100, 24), (133, 12)])
def test_a_chart_fills_its_place_and_no_more(count: int, width: int, height: int) -> None:
    lines = bar_chart(bars(*range(100, 100 + count)), "1d", width=width, height=height, coloured=False)
    assert len(lines) == height
    assert max(map(len, lines)) == width
    assert "\x1b" not in "".join(lines)


def test_a_chart_says_from_when_to_when_and_from_what_to_what() -> None:
    lines = bar_chart(bars(*range(100, 128)), "1d", width=100, height=20, coloured=False)
    assert lines[-1].split()[0] == "2020-01-01"
    assert lines[-1].split()[-1] == "2020-01-28"
    prices = [line.split("┤")[0].strip() for line in lines if "┤" in line]
    assert (prices[0], prices[-1]) == ("129.0", "97.0")


def test_a_chart_of_hours_says_their_time() -> None:
    assert "2020-01-01 00:00" in bar_chart(bars(5.0, 6.0), "1h", width=60, height=9, coloured=False)[-1]


def test_prices_that_never_move_are_drawn_too() -> None:
    flat = {"time": "2020-01-01T00:00:00", "open": 5.0, "high": 5.0, "low": 5.0, "close": 5.0}
    assert "5.00┤" in "\n".join(bar_chart([flat] * 3, "1d", width=50, height=8, coloured=False))


def test_rises_and_falls_have_colours_where_they_are_wanted() -> None:
    drawn = "\n".join(
        bar_chart([*bars(5.0), {**bars(5.0)[0], "open": 6.0}], "1d", width=50, height=8, coloured=True)
    )
    assert "\x1b[38;5;2m" in drawn
    assert "\x1b[38;5;1m" in drawn
