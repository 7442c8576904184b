"""Which series is meant by a symbol and a timeframe, where several providers may have them."""

from difflib import get_close_matches

from ktrdr.errors import InputInvalid, NotFound
from ktrdr.market_data.sample import TIMEFRAME, sample_symbols
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore

IMPORTED = "import"
MOST_NAMED = 8


def choose_series(
    store: BarStore, symbol: str, timeframe: str, provider: str | None = None, *, imports_first: bool = True
) -> Series:
    """Return the named provider's series, else one's own import, else that of the only provider that has it.

    Without `imports_first` an import is one of several, as it should be where something is to be lost.

    Raises InputInvalid, naming them, where several providers have it, and NotFound, naming what there is of
    that symbol or of similar ones.
    """
    preferred = Series(provider or IMPORTED, symbol, timeframe)
    if store.has(preferred) and (provider is not None or imports_first):
        return preferred
    known = [each.series for each in store.list()]
    fitting = [each for each in known if (each.symbol, each.timeframe) == (symbol, timeframe)]
    if not fitting and store.has(preferred):
        return preferred
    if provider is not None or not fitting:
        raise _nothing(preferred, known, named=provider is not None)
    if len(fitting) > 1:
        names = ", ".join(f"`{each.provider}`" for each in fitting)
        raise InputInvalid(
            f"{symbol} {timeframe} is there from several providers: {names}", hint="say which with --provider"
        )
    return fitting[0]


def _nothing(wanted: Series, known: list[Series], *, named: bool) -> NotFound:
    origin = f" from `{wanted.provider}`" if named else ""
    return NotFound(
        f"there are no bars of {wanted.symbol} {wanted.timeframe}{origin}", hint=_what_there_is(wanted, known)
    )


def _what_there_is(wanted: Series, known: list[Series]) -> str:
    same = [each for each in known if each.symbol == wanted.symbol]
    if same:
        return f"of {wanted.symbol} there is {_names(same)}"
    if wanted.timeframe == TIMEFRAME and wanted.symbol in sample_symbols():
        return f"`ktrdr data load {wanted.symbol}` puts it in the store"
    by_name = {each.symbol.casefold(): each for each in known}
    near = get_close_matches(wanted.symbol.casefold(), by_name, n=MOST_NAMED)
    if near:
        return f"there is {_names([by_name[each] for each in near])}"
    return (
        f"there is {_names(known)}" if known else "bring bars with `ktrdr data load` or `ktrdr data import`"
    )


def _names(series: list[Series]) -> str:
    named = [f"{each.symbol} {each.timeframe} (`{each.provider}`)" for each in series[:MOST_NAMED]]
    more = ["..."] if len(series) > MOST_NAMED else []
    return ", ".join(named + more)
