"""What a load of one series took, and how whole it is, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from ktrdr.cli.quality_words import coverage_words, gap_counts
from ktrdr.cli.safe_text import safe

HOURS = {"regular": "trading hours", "extended": "trading hours and extended hours"}


def load_rows(series: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a title and words each; those without words have nothing to say."""
    yield "Loaded", _took(int(series["new_bars"]), int(series["requests"]))
    yield "Kept", HOURS.get(series["hours"], "")
    yield "Dropped", ", ".join(_dropped(series))
    yield "Mended", _mended(series["mended_files"])
    yield "Coverage", _coverage(series)
    yield "Gaps", gap_counts(series)
    yield "Jumps", _jumps(series)


def _took(new: int, requests: int) -> str:
    plural = "s" if requests != 1 else ""
    return f"{new:,} new bars in {requests:,} request{plural}" if requests else "nothing to fetch"


def _dropped(series: Mapping[str, Any]) -> Iterator[str]:
    if count := int(series["duplicates_dropped"]):
        yield f"{count:,} exact duplicates"
    if count := int(series["outside_hours_dropped"]):
        yield f"{count:,} bars outside of trading hours"


def _mended(files: list[str]) -> str:
    return f"{', '.join(map(safe, files))} was damaged; its bars were fetched again" if files else ""


def _coverage(series: Mapping[str, Any]) -> str:
    if series["missing"] is not None:
        return coverage_words(series)
    calendar = series["calendar"]
    why = f" (`{safe(calendar)}` needs a newer `pip install 'ktrdr[calendars]'`)" if calendar else ""
    return f"not known without a trading calendar{why}"


def _jumps(series: Mapping[str, Any]) -> str:
    days = [safe(each)[:10] for each in series["jumps"]]
    more = f" and {len(days) - 5} more" if len(days) > 5 else ""
    return f"{', '.join(days[:5])}{more} open like an unadjusted split" if days else ""
