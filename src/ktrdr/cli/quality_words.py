"""The quality of bars as lines of text, ending in one plain sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ktrdr.cli.columns import aligned
from ktrdr.cli.figures import moment
from ktrdr.cli.safe_text import safe
from ktrdr.cli.series_tables import origin, title

Quality = Mapping[str, Any]

KINDS = ("weekend", "holiday", "session", "unexpected")
PLURALS = {
    "weekend": "weekends",
    "holiday": "holidays",
    "session": "between sessions",
    "unexpected": "unexpected",
}
FIRST_GAPS = 10
FIRST_JUMPS = 10
GAPS = ("FROM", "UP TO", "MISSING")
NAME_ONE = "name one: --calendar XNYS (or 24/7, fx, another exchange)"


def quality_lines(quality: Quality) -> list[str]:
    """Return bars, coverage, gaps and jumps, the first of each, and the verdict."""
    return [
        headline(quality),
        *(f"  {name:<9} {words}" for name, words in facts(quality) if words),
        *(f"            {line}" for line in first_gaps(quality, FIRST_GAPS)),
        *(f"  {'Jumps' if not number else '':<9} {line}" for number, line in enumerate(jump_lines(quality))),
        f"  {'Verdict':<9} {verdict(quality)}",
    ]


def gap_lines(quality: Quality) -> list[str]:
    """Return every gap that the calendar does not explain, and how many there are of the others."""
    return [
        headline(quality),
        *(f"  {name:<9} {words}" for name, words in facts(quality) if words and name in {"Coverage", "Gaps"}),
        *(f"  {line}" for line in first_gaps(quality, len(quality["unexpected"]))),
    ]


def headline(quality: Quality) -> str:
    """Return `AAPL 1d · sample, split_dividend`."""
    return f"{title(quality)} · {origin(quality)}"


def facts(quality: Quality) -> Iterator[tuple[str, str]]:
    """Yield a name and words each; those without words have nothing to say."""
    timeframe = quality["timeframe"]
    first, last = (safe(moment(str(quality[name]), timeframe)) for name in ("first", "last"))
    yield "Bars", f"{int(quality['bars']):,}, {first} to {last}"
    yield "Coverage", coverage_words(quality)
    yield "Outside", _outside(quality)
    yield "Gaps", gap_counts(quality)


def coverage_words(quality: Quality) -> str:
    """Return the share of the bars that the calendar expects, rounded so that 100 % means all of them."""
    if quality["missing"] is None:
        return f"not known without a trading calendar: {safe(quality['note'])}"
    if not quality["expected"]:
        return f"{safe(quality['calendar'])} expects no bars there"
    missing, expected = int(quality["missing"]), int(quality["expected"])
    words = f"{missing:,} missing" if missing else "none missing"
    return f"{percent(quality)} of {expected:,} bars that {safe(quality['calendar'])} expects, {words}"


def percent(quality: Quality) -> str:
    """Return the coverage in percent, cut and not rounded: 100 only if no bar is missing."""
    share = float(quality["coverage"])
    return f"{int(share * 10_000) / 100:.4g} %"


def gap_counts(quality: Quality) -> str:
    """Return how many gaps there are of each kind."""
    gaps = quality["gaps"]
    if gaps is None:
        return ""
    return ", ".join(f"{int(gaps[kind]):,} {PLURALS[kind]}" for kind in KINDS if gaps.get(kind)) or "none"


def first_gaps(quality: Quality, count: int) -> list[str]:
    """Return a table of the first unexpected gaps, and how many more there are."""
    shown = quality["unexpected"][:count]
    if not shown:
        return []
    rows = [(*_span(each, quality["timeframe"]), f"{int(each['missing']):,}") for each in shown]
    more = int((quality["gaps"] or {}).get("unexpected", len(shown))) - len(shown)
    return aligned(GAPS, rows, right={"MISSING"}) + ([f"and {more:,} more"] if more > 0 else [])


def jump_lines(quality: Quality) -> list[str]:
    """Return the first opens that look like a split, a line each, and how many more there are."""
    jumps: Sequence[Mapping[str, Any]] = quality["jumps"]
    lines = [
        f"{safe(moment(str(each['time']), quality['timeframe']))} opens at {float(each['ratio']):.3g} of the "
        f"close before, as after a split of {safe(each['split'])}"
        for each in jumps[:FIRST_JUMPS]
    ]
    more = len(jumps) - len(lines)
    return lines + ([f"and {more:,} more"] if more else [])


def verdict(quality: Quality) -> str:
    """Return the one sentence that all of it comes down to."""
    return "; ".join((_about_gaps(quality), *_about_outside(quality), *_about_jumps(quality)))


def _about_gaps(quality: Quality) -> str:
    missing = quality["missing"]
    if missing is None:
        return f"what is missing cannot be known without a trading calendar; {NAME_ONE}"
    if not quality["expected"]:
        return f"{safe(quality['calendar'])} expects no bars there"
    if not missing:
        return f"whole: every bar that {safe(quality['calendar'])} expects is there"
    is_one = int(missing) == 1
    return (
        f"{int(missing):,} bar{'' if is_one else 's'} {'is' if is_one else 'are'} missing, {_where(quality)}"
    )


def _where(quality: Quality) -> str:
    """Return in how many gaps, and whether some are missing before the first bar or after the last."""
    places = int(quality["gaps"]["unexpected"])
    in_gaps = sum(int(each["missing"]) for each in quality["unexpected"])
    words = ["in one place" if places == 1 else f"in {places:,} places"] if places else []
    if len(quality["unexpected"]) == places and in_gaps < int(quality["missing"]):
        words.append("before the first or after the last bar")
    return ", and ".join(words)


def _about_outside(quality: Quality) -> Iterator[str]:
    count, flat = int(quality["outside"] or 0), int(quality["flat_outside"] or 0)
    if count:
        what = "1 bar is" if count == 1 else f"{count:,} bars are"
        fillers = f", {_share(flat, count)} flat, as fillers are" if flat else ""
        yield f"{what} where {safe(quality['calendar'])} expects none{fillers}"


def _share(part: int, count: int) -> str:
    return f"{part:,} of them" if part < count else ("all of them" if count > 1 else "it is")


def _about_jumps(quality: Quality) -> Iterator[str]:
    if count := len(quality["jumps"]):
        what = "one jump looks" if count == 1 else f"{count:,} jumps look"
        yield f"{what} like a split that prices are not adjusted for"


def _outside(quality: Quality) -> str:
    count = int(quality["outside"] or 0)
    return f"{count:,} bars where {safe(quality['calendar'])} expects none" if count else ""


def _span(gap: Mapping[str, Any], timeframe: str) -> tuple[str, str]:
    return moment(str(gap["start"]), timeframe), moment(str(gap["end"]), timeframe)
