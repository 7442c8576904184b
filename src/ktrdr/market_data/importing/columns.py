"""From which places of a row each field of a bar is read: as given, else by the names of the columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import PRICES
from ktrdr.market_data.import_options import FIELDS, MOST_COLUMNS, SYMBOL, ImportOptions
from ktrdr.market_data.importing.asking import Asks
from ktrdr.market_data.importing.names import CLOCKS, DATES, SYMBOLS, bare, first_tier, unbracketed
from ktrdr.market_data.importing.values.cells import amount, is_clock, is_day, is_moment, is_time, usual_order

JOINED = "+"
Places = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a file's columns by place, None where one is of no concern, and the cells of a row.

    `where` begins every refusal.
    """

    names: Sequence[str | None]
    row: Sequence[str] = ()
    where: str = ""

    @property
    def known(self) -> str:
        """Return the names as words."""
        named = dict.fromkeys(f"`{name}`" for name in self.names[:MOST_COLUMNS] if name is not None)
        return f"the columns are {', '.join(named)}"

    def cell(self, place: int) -> str:
        """Return what the first row has in a column; nothing if there is no row."""
        return self.row[place] if place < len(self.row) else ""


def assign_columns(columns: Columns, options: ImportOptions) -> Places:
    """Return the places each field is read from; two of a time are its day and its clock.

    Raises DataInvalid for a column that is missing or could be two things; where the file itself shows what
    to say, the hint says it.
    """
    taken = {
        field: _places(name, columns)
        for field, name in options.columns.items()
        if name or field not in {"volume", SYMBOL}
    }
    if options.symbol_column is not None:
        taken[SYMBOL] = _places(options.symbol_column, columns)
    elif not options.symbol and (named := _named(columns, SYMBOLS)):
        taken[SYMBOL] = _only(SYMBOL, named, columns)
    missing = []
    for field in ("time", *PRICES, "volume"):
        if field in options.columns:
            continue
        found = _found(field, columns, taken, options)
        if found:
            taken[field] = found
        elif field != "volume":
            missing.append(field)
    if missing:
        raise _missing(missing, columns, taken)
    return {field: taken[field] for field in FIELDS if field in taken}


def _places(name: str, columns: Columns) -> tuple[int, ...]:
    """Return the place of a column as it was named, or those of a day and a clock that are joined."""
    exact = [place for place, each in enumerate(columns.names) if each == name]
    alike = exact or [
        place for place, each in enumerate(columns.names) if each is not None and unbracketed(each) == name
    ]
    if len(alike) > 1:
        raise _twice(name, alike, columns)
    if alike:
        return (alike[0],)
    parts = name.split(JOINED)
    if len(parts) == 1 or not all(parts):
        raise DataInvalid(f"{columns.where}there is no column `{name}`", hint=columns.known)
    return tuple(place for part in parts for place in _places(part, columns))


def _found(
    field: str, columns: Columns, taken: Mapping[str, tuple[int, ...]], options: ImportOptions
) -> tuple[int, ...]:
    used = {place for places in taken.values() for place in places}
    free = [None if place in used else name for place, name in enumerate(columns.names)]
    left = Columns(free, columns.row, columns.where)
    if field == "time" and (joined := _day_and_clock(left)):
        return joined
    found = first_tier(field, free)
    if not found and field == "volume":
        found = _traded(left, options.symbol or _first_symbol(columns))
    return _only(field, found, columns) if found else ()


def _day_and_clock(columns: Columns) -> tuple[int, ...]:
    """Return the places of a day and of the clock beside it, if that is what the first row has there."""
    days, clocks = _named(columns, DATES), _named(columns, CLOCKS)
    if len(days) != 1 or len(clocks) != 1:
        return ()
    places = (days[0], clocks[0])
    return places if is_day(columns.cell(places[0])) and is_clock(columns.cell(places[1])) else ()


def _named(columns: Columns, names: frozenset[str]) -> list[int]:
    return [place for place, name in enumerate(columns.names) if name is not None and bare(name) in names]


def _first_symbol(columns: Columns) -> str:
    """Return the symbol that the first row names, if one does."""
    return next((columns.cell(place) for place in _named(columns, SYMBOLS)), "")


def _traded(columns: Columns, symbol: str) -> list[int]:
    """Return the columns of what was traded, as `Volume BTC`: the one of the symbol, else all."""
    found = {
        place: bare(name).removeprefix("volume ").strip("()")
        for place, name in enumerate(columns.names)
        if name is not None and bare(name).startswith("volume ")
    }
    own = [place for place, currency in found.items() if symbol.casefold().startswith(currency)]
    return own if len(own) == 1 else list(found)


def _only(field: str, found: Sequence[int], columns: Columns) -> tuple[int, ...]:
    """Return the one column that can be a field."""
    if len(found) == 1:
        return (found[0],)
    if field == "time" and len(moments := [each for each in found if is_moment(columns.cell(each))]) == 1:
        return (moments[0],)  # seconds since 1970 say their zone; a date beside them often does not
    first, second = (columns.names[place] or "" for place in found[:2])
    if first == second:
        raise _twice(first, found, columns)
    words = f"{columns.where}both `{first}` and `{second}` could be `{field}`"
    note = f"or with `{second}`"
    if field == SYMBOL:
        raise Asks(words, {"symbol_column": first}, note)
    raise Asks(words, {"columns": {field: first}}, note)


def _twice(name: str, found: Sequence[int], columns: Columns) -> DataInvalid:
    places = " and ".join(str(place + 1) for place in found[:2])
    hint = f"rename one of them, they are columns {places}; or name all columns by number with --no-header"
    return DataInvalid(f"{columns.where}column `{name}` is there twice", hint=hint)


def _missing(missing: Sequence[str], columns: Columns, taken: Mapping[str, tuple[int, ...]]) -> DataInvalid:
    field = missing[0]
    words = f"{columns.where}no column is named `{field}`; {columns.known}"
    proposed = _proposed(missing, columns, taken)
    if set(missing) <= set(proposed):
        return Asks(words, {"columns": proposed}, "if that is what they are")
    return DataInvalid(words, hint=f"say which with --map {field}=COLUMN")


def _proposed(
    missing: Sequence[str], columns: Columns, taken: Mapping[str, tuple[int, ...]]
) -> dict[str, str]:
    """Return columns for what is missing, if the first row shows which they are."""
    if set(PRICES) <= set(missing):
        usual = usual_order(columns.row)
        wanted = [*missing, "volume"] if "volume" not in taken else list(missing)
        named = {field: joined_names(usual[field], columns.names) for field in wanted if field in usual}
        return named if len(named) >= len(missing) else {}
    used = {place for places in taken.values() for place in places}
    left = [place for place in range(len(columns.names)) if place not in used and columns.cell(place)]
    found = {
        field: columns.names[places[0]] or ""
        for field in missing
        if len(places := _fitting(field, left, columns)) == 1
    }
    return found if len(set(found.values())) == len(found) else {}


def _fitting(field: str, left: Sequence[int], columns: Columns) -> list[int]:
    if field == "time":
        return [place for place in left if is_time(columns.cell(place))]
    return [place for place in left if amount(columns.cell(place)) is not None]


def joined_names(places: Sequence[int], names: Sequence[str | None]) -> str:
    """Return how the columns of a field are named in an option."""
    return JOINED.join(names[place] or "" for place in places)
