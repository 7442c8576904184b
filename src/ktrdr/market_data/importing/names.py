"""The names of columns of bars in the files people have: one table, in the languages of their sources.

A field is read from the column that is named in the first of its tiers that names any; names are compared
without case and accents, and without the angle brackets of MetaTrader and Stooq.
"""

import unicodedata
from collections.abc import Mapping, Sequence

from ktrdr.market_data.bars import PRICES

Tiers = tuple[frozenset[str], ...]


def bare(name: str) -> str:
    """Return a name as it is compared: `Clôture` and `CLOTURE` are one."""
    letters = unicodedata.normalize("NFKD", unbracketed(name).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def unbracketed(name: str) -> str:
    """Return a name without the angle brackets around it."""
    stripped = name.strip()
    return stripped[1:-1].strip() if stripped[:1] == "<" and stripped[-1:] == ">" else stripped


def _names(*names: str) -> frozenset[str]:
    return frozenset(map(bare, names))


DATES = _names(
    "date", "day", "datum", "tag", "fecha", "data", "jour", "дата", "日付", "日付け", "日期",
)  # fmt: skip
CLOCKS = _names("time", "zeit", "uhrzeit", "hora", "heure", "ora", "время", "時刻", "时间")
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
        _names("unix", "unix time", "unixtime", "unix timestamp", "unix_timestamp", "epoch"),
        _names("timestamp", "datetime", "date/time", "date time", "date_time", *ZONES, *DATES, *CLOCKS),
        _names("open time", "open_time", "opentime", "local time", "start", "ts", "zeitpunkt",
            "start time", "start_time", "starttime", "start_at", "window_start", "period_start",
            "time_period_start", "begins_at", "ts_event", "bar_time", "dato", "päivämäärä"),
        _names("t", "index", "__index_level_0__"),
        _names(""),
    ),
    "open": (
        _names("open"),
        _names(
            "1. open", "open price", "open_price", "opening price", "eröffnung", "eröffn.", "eröffnungskurs",
            "erster", "erster kurs", "apertura", "abertura", "ouverture", "ouv.", "ouv", "opening",
            "openprice", "öppning", "öppningskurs", "åpning", "åbning", "otwarcie", "откр.", "открытие",
            "始値", "开盘", "開盤",
        ),
        _names("o"),
    ),
    "high": (
        _names("high"),
        _names(
            "2. high", "high price", "high_price", "hoch", "höchst", "höchstkurs", "tageshoch", "máximo",
            "máx.", "max.", "massimo", "plus haut", "+ haut", "haut", "máxima",
            "highprice", "högst", "högsta", "høy", "hoog", "hoogste", "najwyższy",
            "макс.", "максимум", "高値", "高", "最高",
        ),
        _names("h"),
    ),
    "low": (
        _names("low"),
        _names(
            "3. low", "low price", "low_price", "tief", "tiefst", "tiefstkurs", "tagestief", "mínimo",
            "mín.", "min.", "minimo", "plus bas", "+ bas", "bas", "mínima", "lowprice", "lägst", "lägsta",
            "lav", "laag", "laagste", "najniższy", "мин.", "минимум", "安値", "低", "最低",
        ),
        _names("l"),
    ),
    "close": (
        _names("close"),
        _names(
            "4. close", "close/last", "close price", "close_price", "closing price", "last", "price",
            "zuletzt", "letzter", "schluss", "schlusskurs", "schlußkurs", "cierre", "último", "ultimo",
            "clôture", "dernier", "chiusura", "fechamento", "clôt.", "clôt", "closeprice", "stängning",
            "slutkurs", "slot", "slotkoers", "zamknięcie", "цена", "закрытие", "終値", "收盘", "收盤",
        ),
        _names("c"),
    ),
    "volume": (
        _names("volume", "real_volume", "stuecke", "stücke", "stück"),
        _names(
            "vol", "vol.", "5. volume", "6. volume", "volumen", "volum", "volym", "wolumen",
            "total volume", "total traded quantity", "traded quantity", "no.of shares", "no. of shares",
            "объём", "объем", "出来高", "成交量",
        ),
        _names("tickvol", "tick_volume", "v"),
    ),
}  # fmt: skip
SYMBOLS = _names("symbol", "ticker", "tic")
BESIDE = _names("adj close", "adjclose", "capital gains", "dividends", "stock splits")
FIELD_NAMES = frozenset(
    {"volume", "vol", *BESIDE, *(name for field in PRICES for tier in NAMES[field] for name in tier)}
)


def first_tier(field: str, names: Sequence[str | None]) -> list[int]:
    """Return the places of the names that are in a field's first tier that has any; None is no name."""
    for tier in NAMES[field]:
        found = [place for place, name in enumerate(names) if name is not None and bare(name) in tier]
        if found:
            return found
    return []
