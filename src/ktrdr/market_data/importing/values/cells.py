"""What a cell looks like: a number, a day, a clock, seconds since 1970; and the order of a row."""

import re
from collections.abc import Mapping, Sequence

from ktrdr.market_data.bars import PRICES

# the orders in which those write prices that name no columns
ORDERS = (PRICES, ("low", "high", "open", "close"), ("open", "close", "high", "low"))
NUMBER = re.compile(r"[-+]?[$€£¥]?\s?\d[\d.,' ]*(?:[eE][-+]?\d+)?\s?[KMBT%]?$")
DAY = re.compile(
    r"\d{4}([-./])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2(?:\d\d){1,2}(?!\d)|(?:19|20)\d{6}(?!\d)"
    r"|[A-Za-z]{3,9} \d{1,2}, \d{4}|\d{1,2}[- ][A-Za-z]{3}[- ]\d{4}"
)
CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?$|\d{6}$|\d{4}$")
MOMENT = re.compile(r"\d{9,19}(\.\d+)?$")


def is_number(cell: str) -> bool:
    """Tell whether a cell could be a number, however it is written."""
    return NUMBER.match(cell.strip()) is not None


def is_time(cell: str) -> bool:
    """Tell whether a cell begins with a day or counts since 1970."""
    return DAY.match(cell.strip()) is not None or MOMENT.match(cell.strip()) is not None


def is_moment(cell: str) -> bool:
    """Tell whether a cell counts since 1970."""
    return MOMENT.match(cell.strip()) is not None


def is_day(cell: str) -> bool:
    """Tell whether a cell is a day and nothing else."""
    return DAY.fullmatch(cell.strip()) is not None


def is_clock(cell: str) -> bool:
    """Tell whether a cell is a time within a day and nothing else."""
    return CLOCK.match(cell.strip()) is not None


def is_bar(cells: Sequence[str]) -> bool:
    """Tell whether a line is one of numbers, and so no header."""
    written = [cell for cell in cells if cell.strip()]
    numbers = sum(is_number(cell) or is_time(cell) for cell in written)
    return numbers >= max(3, 0.6 * len(written))


def usual_order(cells: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    """Return the places of the fields if a row is a time, four prices and perhaps a volume; else none.

    Which price is the highest and which the lowest has to show in the row.
    """
    begun = next((place for place, cell in enumerate(cells) if is_time(cell)), None)
    if begun is None:
        return {}
    after = begun + 1
    if is_day(cells[begun]) and after < len(cells) and is_clock(cells[after]):
        after += 1
    priced = cells[after : after + len(PRICES)]
    order = next((each for each in ORDERS if _is_order(each, priced)), None)
    if order is None:
        return {}
    found = {"time": tuple(range(begun, after))}
    found |= {name: (after + number,) for number, name in enumerate(order)}
    volume = after + len(PRICES)
    return found | ({"volume": (volume,)} if volume < len(cells) and is_number(cells[volume]) else {})


def amount(cell: str) -> float | None:
    """Return a number that is written plainly or with a comma for its decimals; None for another."""
    text = cell.strip()
    try:
        return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return None


def _is_order(order: Sequence[str], priced: Sequence[str]) -> bool:
    """Tell whether prices could be in an order: the highest is where it says, and the lowest."""
    numbers = [each for cell in priced if (each := amount(cell)) is not None]
    if len(numbers) < len(order):
        return False
    named = dict(zip(order, numbers, strict=True))
    return 0 < named["low"] == min(numbers) and named["high"] == max(numbers)
