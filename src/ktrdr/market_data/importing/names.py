"""The names of columns of bars in the files people have: one table, in the languages of their sources.

A field is read from the column that is named in the first of its tiers that names any; names are compared
without case, and without the angle brackets of MetaTrader and Stooq.
"""

from collections.abc import Mapping, Sequence

from ktrdr.market_data.bars import PRICES

Tiers = tuple[frozenset[str], ...]

DATES = frozenset({
    "date", "day", "datum", "tag", "fecha", "data", "jour", "дата", "日付", "日付け", "日期",
})  # fmt: skip
CLOCKS = frozenset({"time", "zeit", "uhrzeit", "hora", "heure", "ora", "время", "時刻", "时间"})
ZONES: Mapping[str, str] = {
    "gmt time": "UTC",
    "utc time": "UTC",
    "time (utc)": "UTC",
    "time (gmt)": "UTC",
    "date (utc)": "UTC",
    "datetime (utc)": "UTC",
    "timestamp (utc)": "UTC",
    "time (eet)": "EET",
}
NAMES: Mapping[str, Tiers] = {
    "time": (
        # seconds since 1970 say their zone; a date beside them often does not
        frozenset({"unix", "unix time", "unixtime", "unix timestamp", "unix_timestamp", "epoch"}),
        frozenset({"timestamp", "datetime", "date/time", "date time", "date_time", *ZONES, *DATES, *CLOCKS}),
        frozenset({"open time", "open_time", "opentime", "local time", "start", "ts", "zeitpunkt"}),
        frozenset({"t", "index", "__index_level_0__"}),
        frozenset({""}),
    ),
    "open": (
        frozenset({"open"}),
        frozenset({
            "1. open", "open price", "open_price", "opening price", "eröffnung", "eröffn.", "eröffnungskurs",
            "erster", "erster kurs", "apertura", "abertura", "ouverture", "ouv.", "откр.", "открытие",
            "始値", "开盘", "開盤",
        }),
        frozenset({"o"}),
    ),
    "high": (
        frozenset({"high"}),
        frozenset({
            "2. high", "high price", "high_price", "hoch", "höchst", "höchstkurs", "tageshoch", "máximo",
            "máx.", "max.", "massimo", "plus haut", "+ haut", "макс.", "максимум", "高値", "高", "最高",
        }),
        frozenset({"h"}),
    ),
    "low": (
        frozenset({"low"}),
        frozenset({
            "3. low", "low price", "low_price", "tief", "tiefst", "tiefstkurs", "tagestief", "mínimo",
            "mín.", "min.", "minimo", "plus bas", "+ bas", "мин.", "минимум", "安値", "低", "最低",
        }),
        frozenset({"l"}),
    ),
    "close": (
        frozenset({"close"}),
        frozenset({
            "4. close", "close/last", "close price", "close_price", "closing price", "last", "price",
            "zuletzt", "letzter", "schluss", "schlusskurs", "schlußkurs", "cierre", "último", "ultimo",
            "clôture", "dernier", "chiusura", "fechamento", "цена", "закрытие", "終値", "收盘", "收盤",
        }),
        frozenset({"c"}),
    ),
    "volume": (
        frozenset({"volume", "real_volume", "stuecke", "stücke", "stück"}),
        frozenset({
            "vol", "vol.", "5. volume", "6. volume", "volumen", "volum", "объём", "объем", "出来高",
            "成交量",
        }),
        frozenset({"tickvol", "tick_volume", "v"}),
    ),
}  # fmt: skip
SYMBOLS = frozenset({"symbol", "ticker", "tic"})
BESIDE = frozenset({"adj close", "adjclose", "capital gains", "dividends", "stock splits"})
FIELD_NAMES = frozenset(
    {"volume", "vol", *BESIDE, *(name for field in PRICES for tier in NAMES[field] for name in tier)}
)


def bare(name: str) -> str:
    """Return a name as it is compared."""
    return unbracketed(name).casefold()


def unbracketed(name: str) -> str:
    """Return a name without the angle brackets around it."""
    stripped = name.strip()
    return stripped[1:-1].strip() if stripped[:1] == "<" and stripped[-1:] == ">" else stripped


def first_tier(field: str, names: Sequence[str | None]) -> list[int]:
    """Return the places of the names that are in a field's first tier that has any; None is no name."""
    for tier in NAMES[field]:
        found = [place for place, name in enumerate(names) if name is not None and bare(name) in tier]
        if found:
            return found
    return []
