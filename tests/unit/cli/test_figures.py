"""Figures and columns keep what they were given with."""

import pytest

from ktrdr.cli.columns import aligned
from ktrdr.cli.figures import moment, prices, ticks, volumes
from ktrdr.cli.series_tables import bytes_words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.1 + 0.2, 1.0], ["0.3", "1.0"]),
        ([448.4300000000064, 438.0], ["448.43", "438.00"]),
        ([65432.1, 65000.0], ["65432.1", "65000.0"]),
        ([1.08345, 1.1], ["1.08345", "1.10000"]),
        ([32.10398512345, 30.1], ["32.103985", "30.100000"]),
        ([1.234e-5, 2e-5], ["0.00001234", "0.00002000"]),
        ([100.0], ["100"]),
        ([0.0], ["0"]),
        ([], []),
    ],
)
def test_prices_have_all_digits_worth_having_and_no_noise(values: list[float], words: list[str]) -> None:
    assert prices(values) == words


def test_an_unknown_volume_is_a_dash_and_no_nought() -> None:
    assert volumes([1_234_567.0, None, 0.0]) == ["1,234,567", "–", "0"]
    assert volumes([0.5, 12_000.25]) == ["0.50", "12,000.25"]
    assert volumes([None]) == ["–"]


def test_ticks_have_the_decimals_that_tell_them_apart() -> None:
    assert ticks(1.08, 1.09, 3)[1] == ["1.0800", "1.0850", "1.0900"]
    assert ticks(400.0, 800.0, 3)[1] == ["400", "600", "800"]
    assert ticks(5.0, 5.0, 2)[1] == ["5.00", "5.00"]


def test_a_bar_of_a_day_has_a_date_and_a_shorter_one_a_time() -> None:
    assert moment("2020-01-02T03:04:05+00:00", "1w") == "2020-01-02"
    assert moment("2020-01-02T03:04:05+00:00", "1h") == "2020-01-02 03:04"


def test_columns_are_as_wide_as_what_they_hold_also_where_characters_are_wide() -> None:
    assert aligned(("NAME", "N"), [("日本", "1"), ("a\x1b", "1,000")], right={"N"}) == [
        "NAME      N",
        "日本      1",
        "a\\e   1,000",
    ]


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (2400, "2.4 kB"), (3_500_000, "3.5 MB"), (10**17, "100000.0 TB")],
)
def test_a_size_is_said_in_the_unit_that_fits(count: int, words: str) -> None:
    assert bytes_words(count) == words
