"""A server on this machine that answers as Yahoo, Binance and Kraken do, and goes wrong when told to."""

import gzip
import json
import ssl
import threading
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import polars as pl

from support.synthetic_bars import DAYS, HOURS, NEW_YORK, WEEKS

LONGEST_HANG = 60.0
HERE = "{here}"  # in a header: what was asked for
OPENING = timedelta(hours=9, minutes=30)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer about bars: another status, or another way to send it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    way: str = "as it is"
    symbol: str = ""
    content: Any = None


def too_many(retry_after: str | None = None) -> Fault:
    return Fault(429, {} if retry_after is None else {"Retry-After": retry_after})


def broken() -> Fault:
    return Fault(500)


def hanging() -> Fault:
    return Fault(way="hang")


def cut_off() -> Fault:
    return Fault(way="cut off")


def nonsense() -> Fault:
    return Fault(way="nonsense")


def gzip_bomb() -> Fault:
    return Fault(way="bomb")


def packed() -> Fault:
    return Fault(way="packed")


def another_symbol(symbol: str) -> Fault:
    return Fault(symbol=symbol)


def redirect(target: str) -> Fault:
    return Fault(302, {"Location": target})


def is_about_bars(path: str) -> bool:
    return any(word in path for word in ("chart", "klines", "OHLC"))


class MarketServer:
    """Counts requests in `asked`, and takes faults from `faults`, one for each request about bars."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.faults: deque[Fault] = deque()
        self.factor = 1.0
        self.silent_volumes: set[int] = set()
        self.metas: Mapping[str, Any] | None = None
        self.longest_page = 1000
        self.windowed = False  # whether a page has the bars of its own time only, and none after a gap
        self.no_longer = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"market": self}))
        self._server.daemon_threads = True
        self._scheme = "http"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def about_bars(self) -> int:
        """Return how many requests were about bars."""
        return sum(map(is_about_bars, self.asked))

    def next_fault(self, path: str) -> Fault:
        """Return what goes wrong with the answer to a request."""
        return self.faults.popleft() if is_about_bars(path) and self.faults else Fault()

    def close(self) -> None:
        if self.no_longer.is_set():
            return
        self.no_longer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, query: Mapping[str, str], symbol: str) -> tuple[int, Any]:
        """Return status and content."""
        if path.startswith("/v8/finance/chart/"):
            return self._chart(unquote(path.rpartition("/")[2]), query, symbol)
        plain = {
            "/api/v3/exchangeInfo": EXCHANGE_INFO,
            "/0/public/AssetPairs": {"error": [], "result": KRAKEN_PAIRS},
            "/0/public/Assets": {"error": [], "result": KRAKEN_ASSETS},
        }
        if path in plain:
            return 200, plain[path]
        if path.endswith("/exchangeInfo"):
            return 200, {"symbols": []}
        if path == "/api/v3/klines":
            return 200, _klines(query, is_windowed=self.windowed)[: self.longest_page]
        if path == "/0/public/OHLC":
            return 200, {"error": [], "result": {query["pair"]: _kraken_rows(query), "last": 0}}
        return 404, {"code": -1, "msg": f"no {path}"}

    def _chart(self, asked: str, query: Mapping[str, str], symbol: str) -> tuple[int, Any]:
        if asked not in YAHOO:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return 404, {"chart": {"result": None, "error": error}}
        rows = _between(asked, query)
        if not rows:
            said = f"Data doesn't exist for startDate = {query['period1']}, endDate = {query['period2']}"
            return 400, {"chart": {"result": None, "error": {"code": "Bad Request", "description": said}}}
        return 200, {"chart": {"result": [self._result(symbol or asked, asked, query, rows)], "error": None}}

    def _result(self, symbol: str, asked: str, query: Mapping[str, str], rows: list[Any]) -> dict[str, Any]:
        exchange, zone, kind, _ = YAHOO[asked]
        columns = list(zip(*rows, strict=True))
        volume = [
            None if when in self.silent_volumes else int(each)
            for when, each in zip(columns[0], columns[5], strict=True)
        ]
        quote = dict(zip(("open", "high", "low", "close"), map(list, columns[1:5]), strict=True))
        indicators: dict[str, Any] = {"quote": [{**quote, "volume": volume}]}
        if query["interval"] in ("1d", "1wk"):
            indicators["adjclose"] = [{"adjclose": [each * self.factor for each in columns[4]]}]
        meta = {
            "symbol": symbol,
            "exchangeName": exchange,
            "exchangeTimezoneName": zone,
            "instrumentType": kind,
            "currency": "USD",
            "firstTradeDate": _rows_of(asked)[0][0],
            "validRanges": ["1d", "5d", "max"],
            "dataGranularity": query["interval"],
        }
        meta = meta if self.metas is None else dict(self.metas)
        return {"meta": meta, "timestamp": list(columns[0]), "indicators": indicators}


YAHOO = {
    "AAPL": ("NMS", "America/New_York", "EQUITY", "days"),
    "BTC-USD": ("CCC", "UTC", "CRYPTOCURRENCY", "hours"),
    "EURUSD=X": ("CCY", "Europe/London", "CURRENCY", "hours"),
}
EXCHANGE_INFO = {
    "symbols": [
        {
            "symbol": f"{base}USDT",
            "status": "TRADING",
            "baseAsset": base,
            "quoteAsset": "USDT",
            "isSpotTradingAllowed": True,
            "filters": [],
            "permissions": ["SPOT"],
        }
        for base in ("BTC", "ETH")
    ]
}
KRAKEN_ASSETS = {
    "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5},
    "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2},
}
KRAKEN_PAIRS = {
    "XXBTZUSD": {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "aclass_base": "currency",
        "base": "XXBT",
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "lot": "unit",
        "pair_decimals": 1,
        "lot_decimals": 8,
        "cost_decimals": 5,
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "ordermin": "0.0001",
        "status": "online",
    }
}


def _rows_of(symbol: str) -> list[tuple[Any, ...]]:
    """Return bars as Yahoo keeps them: days by the moment the session opens."""
    if YAHOO[symbol][3] == "hours":
        return _rows(HOURS)
    rows = DAYS.rows()
    return [(int(_opening(when).timestamp()), *values) for when, *values in rows]


def _opening(day: datetime) -> datetime:
    return day.replace(tzinfo=NEW_YORK) + OPENING


def _rows(bars: pl.DataFrame) -> list[tuple[Any, ...]]:
    return [(int(when.timestamp()), *values) for when, *values in bars.rows()]


def _between(symbol: str, query: Mapping[str, str]) -> list[tuple[Any, ...]]:
    rows = _rows_of(symbol)
    if "range" in query:
        return rows[-1:]
    if query["interval"] == "1wk":
        rows = [(_opening(when) - OPENING, *values) for when, *values in WEEKS.rows()]
        rows = [(int(when.timestamp()), *values) for when, *values in rows]
    return [each for each in rows if int(query["period1"]) <= each[0] < int(query["period2"])]


def _klines(query: Mapping[str, str], *, is_windowed: bool) -> list[list[Any]]:
    since, limit = int(query.get("startTime", 0)), int(query.get("limit", 500))
    rows = [each for each in _rows(HOURS) if each[0] * 1000 >= since][:limit]
    if is_windowed:
        rows = [each for each in rows if each[0] * 1000 < since + limit * 3_600_000]
    return [
        [each[0] * 1000, *map(str, each[1:]), each[0] * 1000 + 3_599_999, "0", 1, "0", "0", "0"]
        for each in rows
    ]


def _kraken_rows(query: Mapping[str, str]) -> list[list[Any]]:
    since = int(query.get("since", 0))
    rows = [each for each in _rows(HOURS) if each[0] > since]
    return [[each[0], *map(str, each[1:5]), "0", str(each[5]), 1] for each in rows]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    market: ClassVar[MarketServer]

    def do_GET(self) -> None:
        self.market.asked.append(self.path)
        self.market.headers.append({name.lower(): value for name, value in self.headers.items()})
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        fault = self.market.next_fault(parts.path)
        if fault.way == "hang":
            self.market.no_longer.wait(LONGEST_HANG)
            self.close_connection = True
            return
        status, content = self.market.answer(parts.path, query, fault.symbol)
        said = content if fault.content is None else fault.content
        self._send(fault, status, json.dumps(said).encode())

    def _send(self, fault: Fault, status: int, body: bytes) -> None:
        headers = {"Content-Type": "application/json", **fault.headers}
        if fault.way == "nonsense":
            body = b'{"chart": {"result": [{}], "surprise": [[[['
        if fault.way in ("bomb", "packed"):
            headers["Content-Encoding"] = "gzip"
            body = gzip_bomb_body() if fault.way == "bomb" else gzip.compress(body)
        self.send_response(fault.status if fault.status != 200 else status)
        for name, value in headers.items():
            self.send_header(name, value.replace(HERE, self.path))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault.way == "cut off":
            body, self.close_connection = body[: len(body) // 2], True
        with suppress(ConnectionError):  # whoever asked may have gone by now
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: `asked` remembers."""


def gzip_bomb_body() -> bytes:
    """Return about one megabyte that unpacks to one gigabyte; its end, which nobody reaches, is missing."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(bytes(16 * 1024 * 1024)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + 64 * piece


@contextmanager
def market_server(tls: ssl.SSLContext | None = None) -> Iterator[MarketServer]:
    """Serve until the end of the block."""
    server = MarketServer(tls)
    try:
        yield server
    finally:
        server.close()
