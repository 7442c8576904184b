"""The lines that tell what an import kept, and how it understood the file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ktrdr.cli.columns import aligned
from ktrdr.cli.figures import moment, prices, volumes
from ktrdr.cli.safe_text import safe

SHOWN = 20
PRICES = ("open", "high", "low", "close")
HEADER = ("symbol", "time", *PRICES, "volume")


def import_lines(result: Mapping[str, Any]) -> list[str]:
    """Return a line a series, at most twenty, and what there is to say of the file."""
    series = result["series"]
    lines = [_series(each) for each in series[:SHOWN]]
    if (more := int(result["series_count"]) - SHOWN) > 0:
        lines.append(f"and {more:,} more")
    lines += [f"  {title:<9} {words}" for title, words in _rows(result) if words]
    lines += [f"    {safe(each)}" for each in result["offenders"]]
    return lines + (_understood(result) if result["dry_run"] else [])


def _series(series: Mapping[str, Any]) -> str:
    timeframe = safe(series["timeframe"])
    span = " to ".join(moment(safe(series[name]), timeframe) for name in ("first", "last"))
    return f"{safe(series['symbol'])} {timeframe} · {int(series['bars']):,} bars, {span}"


def _rows(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    dropped, wrong = int(result["duplicates_dropped"]), int(result["quarantined"])
    skipped = ", ".join(f"`{safe(each)}`" for each in result["skipped_lines"])
    priceless, unknown = int(result["rows_without_price"]), int(result["unknown_volumes"])
    yield "Skipped", f"{skipped}, before the header" if skipped else ""
    yield "Left out", f"{priceless:,} rows without a price" if priceless else ""
    yield "Unknown", f"the volume of {unknown:,} bars" if unknown else ""
    for remark in result["remarks"]:
        yield "Note", safe(remark)
    yield "Joined", _joined(result)
    yield "Outside", _outside(result)
    yield "Dropped", f"{dropped:,} exact duplicates" if dropped else ""
    yield "Ignored", ", ".join(map(safe, result["ignored_columns"]))
    replaced = _sum(result, "replaced_bars")
    verb = "would replace " if result["dry_run"] else ""
    yield "Replaced", f"{verb}{replaced:,} bars imported before" if replaced else ""
    if result["dry_run"]:
        yield "Wrong", f"{wrong:,}; without --quarantine the file is refused" if wrong else ""
        yield "Written", "nothing, this was a dry run"
    else:
        yield "Set aside", f"{wrong:,}, listed in {safe(result['quarantine_file'])}" if wrong else ""


def _joined(result: Mapping[str, Any]) -> str:
    """Return what became of bars that came to others: `21 new, 3 equal to stored ones; 273 in all`."""
    new, equal, total = (_sum(result, name) for name in ("new_bars", "equal_bars", "total_bars"))
    if total == new:
        return ""
    twins = f", {equal:,} equal to stored ones" if equal else ""
    verb = "would be " if result["dry_run"] else ""
    return f"{new:,} new{twins}; {verb}{total:,} in all"


def _outside(result: Mapping[str, Any]) -> str:
    odd = [each for each in result["series"] if each["outside"]]
    count = sum(int(each["outside"]) for each in odd)
    calendars = ", ".join(sorted({safe(each["calendar"]) for each in odd}))
    return f"{count:,} bars in no session of {calendars}, kept" if odd else ""


def _sum(result: Mapping[str, Any], name: str) -> int:
    return sum(int(each[name]) for each in result["series"])


def _understood(result: Mapping[str, Any]) -> list[str]:
    columns = ", ".join(f"{name} from {safe(column)}" for name, column in result["columns"].items())
    return [f"  {'Columns':<9} {columns}", *(f"  {line}" for line in _preview(result))]


def _preview(result: Mapping[str, Any]) -> list[str]:
    bars: Sequence[Mapping[str, Any]] = result["preview"]
    timeframe = result["series"][0]["timeframe"]
    figures = [prices([float(each[name]) for each in bars]) for name in PRICES]
    figures.append(volumes([None if each["volume"] is None else float(each["volume"]) for each in bars]))
    named = [(each["symbol"], moment(each["time"], timeframe)) for each in bars]
    rows = [(*words, *numbers) for words, numbers in zip(named, zip(*figures, strict=True), strict=True)]
    return aligned(HEADER, rows, {*PRICES, "volume"})
