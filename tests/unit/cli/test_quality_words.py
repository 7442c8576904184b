"""The quality of bars in words and as a page: plain, honest about what is not known, and harmless."""

from html.parser import HTMLParser
from typing import Any

import pytest

from ktrdr.cli.quality_page import quality_page
from ktrdr.cli.quality_words import gap_lines, percent, quality_lines, verdict

WHOLE: dict[str, Any] = {
    "symbol": "AAPL",
    "timeframe": "1d",
    "provider": "sample",
    "adjustment": "split_dividend",
    "hours": "all",
    "calendar": "XNYS",
    "note": None,
    "bars": 3270,
    "first": "2000-03-01T00:00:00+00:00",
    "last": "2013-03-01T00:00:00+00:00",
    "expected": 3270,
    "present": 3270,
    "outside": 0,
    "flat_outside": 0,
    "missing": 0,
    "coverage": 1.0,
    "gaps": {"weekend": 600, "holiday": 100, "session": 0, "unexpected": 0},
    "unexpected": [],
    "jumps": [],
}
GAP = {"start": "2005-01-03T00:00:00+00:00", "end": "2005-01-05T00:00:00+00:00", "missing": 2}
JUMP = {"time": "2005-02-28T00:00:00+00:00", "ratio": 0.5033, "split": "2:1"}
BLIND = dict.fromkeys(
    ("calendar", "expected", "present", "outside", "flat_outside", "missing", "coverage", "gaps")
)


def quality(**changes: Any) -> dict[str, Any]:
    return {**WHOLE, **changes}


def with_gaps(count: int, missing: int = 0) -> dict[str, Any]:
    lacking = missing or 2 * count
    gaps = {**WHOLE["gaps"], "unexpected": count}
    return quality(
        missing=lacking, coverage=1 - lacking / 3270, gaps=gaps, unexpected=[GAP] * min(count, 1000)
    )


def test_whole_bars_are_said_to_be_whole() -> None:
    assert quality_lines(WHOLE) == [
        "AAPL 1d · sample, split_dividend",
        "  Bars      3,270, 2000-03-01 to 2013-03-01",
        "  Coverage  100 % of 3,270 bars that XNYS expects, none missing",
        "  Gaps      600 weekends, 100 holidays",
        "  Verdict   whole: every bar that XNYS expects is there",
    ]


def test_what_is_wrong_is_listed_and_summed_up_in_one_sentence() -> None:
    assert quality_lines({**with_gaps(12, 24), "outside": 3, "jumps": [JUMP] * 11}) == [
        "AAPL 1d · sample, split_dividend",
        "  Bars      3,270, 2000-03-01 to 2013-03-01",
        "  Coverage  99.26 % of 3,270 bars that XNYS expects, 24 missing",
        "  Outside   3 bars where XNYS expects none",
        "  Gaps      600 weekends, 100 holidays, 12 unexpected",
        "            FROM        UP TO       MISSING",
        *["            2005-01-03  2005-01-05        2"] * 10,
        "            and 2 more",
        "  Jumps     2005-02-28 opens at 0.503 of the close before, as after a split of 2:1",
        *["            2005-02-28 opens at 0.503 of the close before, as after a split of 2:1"] * 9,
        "            and 1 more",
        "  Verdict   24 bars are missing, in 12 places; 3 bars are where XNYS expects none; 11 jumps "
        "look like a split that prices are not adjusted for",
    ]


@pytest.mark.parametrize(
    ("outside", "flat", "words"),
    [
        (1, 0, "1 bar is where XNYS expects none"),
        (1, 1, "1 bar is where XNYS expects none, it is flat, as fillers are"),
        (104, 104, "104 bars are where XNYS expects none, all of them flat, as fillers are"),
        (104, 3, "104 bars are where XNYS expects none, 3 of them flat, as fillers are"),
    ],
)
def test_the_verdict_names_bars_that_no_session_expects(outside: int, flat: int, words: str) -> None:
    whole = "whole: every bar that XNYS expects is there"
    assert verdict(quality(outside=outside, flat_outside=flat)) == f"{whole}; {words}"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (with_gaps(1, 1) | {"unexpected": [{**GAP, "missing": 1}]}, "1 bar is missing, in one place"),
        (with_gaps(2, 4), "4 bars are missing, in 2 places"),
        (with_gaps(1200), "2,400 bars are missing, in 1,200 places"),
        (
            with_gaps(2, 9),
            "9 bars are missing, in 2 places, and before the first or after the last bar",
        ),
        (with_gaps(0, 9), "9 bars are missing, before the first or after the last bar"),
        ({"expected": 0, "present": 0, "coverage": None}, "XNYS expects no bars there"),
        (
            {"jumps": [JUMP]},
            "whole: every bar that XNYS expects is there; one jump looks like a split that prices are not "
            "adjusted for",
        ),
        (
            BLIND,
            "what is missing cannot be known without a trading calendar; name one: --calendar XNYS (or 24/7, "
            "fx, another exchange)",
        ),
    ],
)
def test_a_verdict_is_one_plain_sentence(changes: dict[str, Any], words: str) -> None:
    assert verdict(quality(**changes)) == words


def test_without_a_calendar_nothing_is_made_up() -> None:
    lines = quality_lines(quality(**BLIND, note="`exchange_calendars` is not installed"))
    assert (
        lines[2] == "  Coverage  not known without a trading calendar: `exchange_calendars` is not installed"
    )
    assert not any("Gaps" in each or "Outside" in each or "None" in each for each in lines)


def test_where_nothing_is_expected_there_is_no_share_of_it() -> None:
    lines = quality_lines(quality(expected=0, present=0, coverage=None))
    assert lines[2] == "  Coverage  XNYS expects no bars there"


def test_no_gaps_of_any_kind_are_said_to_be_none() -> None:
    none = dict.fromkeys(WHOLE["gaps"], 0)
    assert "  Gaps      none" in quality_lines(quality(gaps=none))


def test_a_hundred_percent_means_that_no_bar_is_missing() -> None:
    assert [percent({"coverage": each}) for each in (1.0, 0.9999999, 0.5, 0.0)] == [
        "100 %",
        "99.99 %",
        "50 %",
        "0 %",
    ]


def test_every_gap_is_listed_where_gaps_are_asked_for() -> None:
    lines = gap_lines(with_gaps(1200))
    assert lines[:4] == [
        "AAPL 1d · sample, split_dividend",
        "  Coverage  26.6 % of 3,270 bars that XNYS expects, 2,400 missing",
        "  Gaps      600 weekends, 100 holidays, 1,200 unexpected",
        "  FROM        UP TO       MISSING",
    ]
    assert lines[4:] == ["  2005-01-03  2005-01-05        2"] * 1000 + ["  and 200 more"]
    assert len(gap_lines(WHOLE)) == 3


class Tags(HTMLParser):
    """Notes the tags and addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [str(value) for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_says_all_of_it_and_needs_nothing_else() -> None:
    page = quality_page({**with_gaps(3), "jumps": [JUMP]}, "2026-11-23T22:10:00+00:00")
    tags = Tags(page)
    assert (tags.open, tags.addresses) == ([], [])
    assert not tags.seen & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    for words in (
        "6 bars are missing, in 3 places",
        "2005-01-03  2005-01-05",
        "Checked 2026-11-23 22:10 UTC",
    ):
        assert words in page
    assert page.count("<rect") == 1 + 3 + 1


def test_nothing_in_a_page_is_taken_for_markup() -> None:
    hostile = "<script>alert(1)</script>\"'&\x1b[2J"
    changes = dict.fromkeys(("symbol", "provider", "adjustment", "calendar", "timeframe"), hostile)
    page = quality_page(quality(**changes, jumps=[{**JUMP, "split": hostile}]), hostile)
    assert "<script" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page
    assert Tags(page).open == []


def test_a_gap_before_the_first_bar_is_drawn_at_the_edge() -> None:
    early = {**GAP, "start": "1999-01-01T00:00:00+00:00", "end": "1999-01-04T00:00:00+00:00"}
    same = {"first": WHOLE["last"], "last": WHOLE["last"]}
    assert '<rect x="0.0" width="1.0"' in quality_page(quality(unexpected=[early]), "")
    assert '<rect x="0.0" width="1.0"' in quality_page(quality(unexpected=[early], **same), "")
