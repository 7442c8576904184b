"""Bars as a chart of candlesticks in a terminal."""

from collections.abc import Sequence
from typing import Any

import plotext

from ktrdr.cli.figures import moment, ticks

LABEL_SPACE = 24  # columns for a date and some air
RISE, FALL = "green", "red"


def bar_chart(
    bars: Sequence[dict[str, Any]], timeframe: str, *, width: int, height: int, coloured: bool
) -> list[str]:
    """Return lines of at most `width` characters; escape codes only if `coloured`."""
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    columns = {name.capitalize(): [each[name] for each in bars] for name in ("open", "close", "high", "low")}
    plotext.candlestick(list(range(len(bars))), columns, colors=[RISE, FALL])
    plotext.xticks(*_dates(bars, timeframe, max(width // LABEL_SPACE, 1)))
    plotext.yticks(*ticks(min(columns["Low"]), max(columns["High"]), max(height // 4, 2)))
    text: str = plotext.build()
    return (text if coloured else plotext.uncolorize(text)).rstrip("\n").split("\n")


def _dates(bars: Sequence[dict[str, Any]], timeframe: str, spaces: int) -> tuple[list[int], list[str]]:
    last = len(bars) - 1
    places = sorted({last * number // spaces for number in range(spaces + 1)})
    return places, [moment(bars[each]["time"], timeframe) for each in places]
