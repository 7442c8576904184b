"""What is asked of an import, and the columns its fields are read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import PRICES, SCHEMA

NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "date", "datetime", "timestamp"),
    **{name: (name,) for name in PRICES},
    "volume": ("volume", "vol"),
}
SYMBOL = "symbol"
LINE = "\0line"  # no header can hold a NUL
FIELDS = (SYMBOL, *SCHEMA)
MOST_COLUMNS = 1000


@dataclass(frozen=True, slots=True)
class Portions:
    """How much of a file is in memory at once.

    `block` bytes of text and `rows` of a Parquet file are read together; `held` bars wait before the disk has
    to take them.
    """

    block: int = 16 * 2**20
    rows: int = 2**18
    held: int = 1_000_000


WHOLE_PORTIONS = Portions()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be understood.

    All bars are of `symbol`, unless `symbol_column` tells of which each is. `columns` maps fields of a bar to
    columns; `tz` is the zone of intraday times that carry no offset; without a `separator` it is found from
    the header. With `tolerant` what is wrong is set aside instead of refusing the file. Nothing may be later
    than `now`. `time_format` says how times are written, in the directives of strftime.
    """

    timeframe: str
    now: datetime
    symbol: str = ""
    symbol_column: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    tz: str | None = None
    separator: str | None = None
    decimal_comma: bool = False
    tolerant: bool = False
    time_format: str | None = None


def assign_columns(header: Sequence[str], options: ImportOptions, where: str = "") -> dict[str, str]:
    """Return which column each field is read from: as given, else the one that is named like it.

    Raises DataInvalid, beginning with `where`, for a column that is missing or could be two things.
    """
    known = f"the columns are {', '.join(f'`{name}`' for name in header[:MOST_COLUMNS])}"
    given = dict(options.columns)
    if options.symbol_column is not None:
        given[SYMBOL] = options.symbol_column
    for column in given.values():
        if column not in header:
            raise DataInvalid(f"{where}there is no column `{column}`", hint=known)
    taken = dict(given)
    for name, names in NAMES.items():
        if name not in taken:
            found = [each for each in header if each.lower() in names and each not in given.values()]
            taken.update((name, each) for each in _only(name, found, known, where))
    return {name: taken[name] for name in FIELDS if name in taken}


def _only(name: str, found: Sequence[str], known: str, where: str) -> Sequence[str]:
    """Return the one column that can be a field, or none for the volume."""
    hint = f"say which with --map {name}=COLUMN"
    if len(found) > 1:
        raise DataInvalid(f"{where}both `{found[0]}` and `{found[1]}` could be `{name}`", hint=hint)
    if not found and name != "volume":
        raise DataInvalid(f"{where}no column is named `{name}`; {known}", hint=hint)
    return found


def refuse_too_many_columns(count: int) -> None:
    """Raise DataInvalid for a file so wide that it cannot be one of bars."""
    if count > MOST_COLUMNS:
        raise DataInvalid(f"there are {count:,} columns", hint=f"at most {MOST_COLUMNS:,} are read")
