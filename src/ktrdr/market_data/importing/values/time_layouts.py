"""The usual ways to write a time: a day, perhaps a clock after it, and perhaps the name of an offset."""

import re
from collections.abc import Iterable, Iterator, Mapping

DAYS: Mapping[str, str] = {
    r"\d{4}-\d{1,2}-\d{1,2}": "%Y-%m-%d",
    r"\d{2}-\d{1,2}-\d{1,2}": "%Y-%m-%d",
    r"\d{8}": "%Y%m%d",
    r"\d{4}\.\d{1,2}\.\d{1,2}": "%Y.%m.%d",
    r"\d{4}/\d{1,2}/\d{1,2}": "%Y/%m/%d",
    # wherever days are written with points, they come first
    r"\d{1,2}\.\d{1,2}\.\d{4}": "%d.%m.%Y",
    r"\d{1,2}/\d{1,2}/\d{4}": "%d/%m/%Y",
    r"\d{1,2}-\d{1,2}-\d{4}": "%d-%m-%Y",
    r"[A-Za-z]{3,9} \d{1,2}, \d{4}": "%B %d, %Y",
    r"\d{1,2} [A-Za-z]{3,9} \d{4}": "%d %B %Y",
    r"\d{1,2}-[A-Za-z]{3,9}-\d{4}": "%d-%B-%Y",
}
CLOCKS: Mapping[str, str] = {
    "": "",
    r"\d{1,2}:\d{2}": "%H:%M",
    r"\d{1,2}:\d{2}:\d{2}": "%H:%M:%S",
    r"\d{1,2}:\d{2}:\d{2}\.\d+": "%H:%M:%S%.f",
    r"\d{6}": "%H%M%S",
    r"\d{4}": "%H%M",
    r"\d{1,2}:\d{2} ?[AaPp][Mm]": "%I:%M %p",
    r"\d{1,2}:\d{2}:\d{2} ?[AaPp][Mm]": "%I:%M:%S %p",
}
MONTH_FIRST = {"%d/%m/%Y": "%m/%d/%Y", "%d-%m-%Y": "%m-%d-%Y"}
# names of offsets that mean one thing wherever prices are written; CST and IST do not
OFFSETS: Mapping[str, str] = {
    "UTC": "+00:00",
    "GMT": "+00:00",
    "BST": "+01:00",
    "WEST": "+01:00",
    "CET": "+01:00",
    "CEST": "+02:00",
    "EET": "+02:00",
    "EEST": "+03:00",
    "MSK": "+03:00",
    "HKT": "+08:00",
    "SGT": "+08:00",
    "JST": "+09:00",
    "KST": "+09:00",
    "AEST": "+10:00",
    "AEDT": "+11:00",
    "EST": "-05:00",
    "EDT": "-04:00",
    "CDT": "-05:00",
    "MST": "-07:00",
    "MDT": "-06:00",
    "PST": "-08:00",
    "PDT": "-07:00",
}
SHORT_YEAR = re.compile(r"(\d{1,2})([-/. ])(\d{1,2}|[A-Za-z]{3})\2(\d{2})(?=\s|$)")
DECEMBER = 12
TOGETHER: Mapping[str, str] = {r"\d{12}": "%Y%m%d%H%M", r"\d{14}": "%Y%m%d%H%M%S"}


def layout_of(text: str, *, is_day_first: bool | None = True) -> str | None:
    """Return how a time is written, in Polars' directives; None if in no usual way.

    `is_day_first` tells 1/2/2024 apart.
    """
    for pattern, layout in _patterns():
        if re.fullmatch(pattern, text):
            day = layout.split(" ")[0]
            return layout if is_day_first else layout.replace(day, MONTH_FIRST.get(day, day), 1)
    return None


def is_day_or_month(layout: str) -> bool:
    """Tell whether a layout begins with a day that could be a month, or the other way round."""
    return layout.split(" ", maxsplit=1)[0] in {*MONTH_FIRST, *MONTH_FIRST.values()}


def month_first(layout: str) -> str:
    """Return a layout with its day and its month the other way round."""
    return layout.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m")


def short_year_layouts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return how times with years of two digits could be written, in Python's directives; else none."""
    found = [match for each in texts if (match := SHORT_YEAR.match(each))]
    layout = layout_of(SHORT_YEAR.sub(r"\1\2\3\g<2>20\4", found[0].string)) if found else None
    if layout is None:
        return ()
    short = python_layout(layout).replace("%Y", "%y")
    if any(each[3].isalpha() for each in found):
        return (short.replace("%B", "%b"),)
    is_day_first = any(int(each[1]) > DECEMBER for each in found) or found[0][2] == "."
    is_month_first = any(int(each[3]) > DECEMBER for each in found)
    return (short,) if is_day_first else (month_first(short), *([] if is_month_first else [short]))


def python_layout(layout: str) -> str:
    """Return a layout in the directives of Python."""
    return layout.replace("%S%.f", "%S.%f")


def _patterns() -> Iterator[tuple[str, str]]:
    yield from TOGETHER.items()
    for day, written in DAYS.items():
        for clock, layout in CLOCKS.items():
            yield (f"{day} {clock}", f"{written} {layout}") if clock else (day, written)
