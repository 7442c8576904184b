"""The quality of bars as one HTML page: nothing to load, nothing to run, every word escaped."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Any

from ktrdr.cli.quality_words import facts, first_gaps, headline, jump_lines, verdict
from ktrdr.cli.safe_text import safe

Quality = Mapping[str, Any]

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}"
    "h1{font-size:1.4rem}th{text-align:left;padding-right:1.5rem;vertical-align:top}"
    "pre{background:#f4f4f4;padding:.8rem;overflow-x:auto}svg{width:100%;height:60px}"
    ".verdict{font-weight:600}footer{color:#666;margin-top:2rem}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
WIDTH, HEIGHT = 1000.0, 40.0
THINNEST = 1.0
THERE, MISSING, JUMP = "#7aa874", "#c0392b", "#2c5aa0"


def quality_page(quality: Quality, checked_at: str) -> str:
    """Return the whole page; `checked_at` is when the bars were checked."""
    name = escape(headline(quality))
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{name}</title><style>{STYLE}</style></head><body>",
            f"<h1>{name}</h1>",
            f'<p class="verdict">{escape(verdict(quality))}</p>',
            *_strip(quality),
            *_table(facts(quality)),
            *_section("Unexpected gaps", first_gaps(quality, len(quality["unexpected"]))),
            *_section("Jumps", jump_lines(quality)),
            f"<footer>Checked {escape(safe(checked_at)[:16].replace('T', ' '))} UTC by ktrdr</footer>",
            "</body></html>\n",
        )
    )


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "<table>"
    for name, words in rows:
        if words:
            yield f"<tr><th>{escape(name)}</th><td>{escape(words)}</td></tr>"
    yield "</table>"


def _section(name: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"<h2>{escape(name)}</h2><pre>{escape(chr(10).join(lines))}</pre>"


def _strip(quality: Quality) -> Iterator[str]:
    """Draw the time from the first to the last bar, what is missing of it, and where prices jump."""
    first, last = (datetime.fromisoformat(str(quality[name])) for name in ("first", "last"))
    seconds = max((last - first).total_seconds(), 1.0)

    def place(moment: object) -> float:
        share = (datetime.fromisoformat(str(moment)) - first).total_seconds() / seconds
        return WIDTH * min(max(share, 0.0), 1.0)

    yield f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" role="img">'
    yield "<title>green: there, red: missing, blue: jumps</title>"
    yield _box(0.0, WIDTH, THERE)
    for gap in quality["unexpected"]:
        yield _box(place(gap["start"]), place(gap["end"]), MISSING)
    for jump in quality["jumps"]:
        yield _box(place(jump["time"]), place(jump["time"]), JUMP)
    yield "</svg>"


def _box(start: float, end: float, colour: str) -> str:
    width = max(end - start, THINNEST)
    left = min(start, WIDTH - width)
    return f'<rect x="{left:.1f}" width="{width:.1f}" height="{HEIGHT:g}" fill="{colour}"/>'
