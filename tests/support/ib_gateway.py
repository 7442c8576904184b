"""A server on this machine that speaks as much of the protocol of TWS as loading bars takes."""

import socketserver
import struct
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import polars as pl

from support.synthetic_bars import DAYS, HOURS

VERSION = 176
NO_DATA = "Historical Market Data Service error message:HMDS query returned no data: X"
Row = tuple[datetime, float, float, float, float, float]
START_API, CONTRACT, HISTORY, CANCEL_HISTORY, HEAD, CANCEL_HEAD = "71", "9", "20", "25", "87", "90"
STEP = {"S": timedelta(seconds=1), "D": timedelta(days=1), "Y": timedelta(days=366)}


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one answer about history: an error, silence, or a broken connection."""

    code: int = 0
    said: str = ""
    way: str = ""


@dataclass
class Gateway:
    """Knows AAPL (days) and EUR.USD (hours); counts what it is asked in `asked`."""

    port: int = 0
    asked: list[Sequence[str]] = field(default_factory=list)
    troubles: deque[Trouble] = field(default_factory=deque)
    symbol: str | None = None
    head_trouble: Trouble | None = None
    contract_trouble: Trouble | None = None
    connections: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def about_history(self) -> int:
        return sum(each[0] == HISTORY for each in self.asked)


class _Handler(socketserver.BaseRequestHandler):
    gateway: ClassVar[Gateway]

    def handle(self) -> None:
        self.gateway.connections += 1
        self._rest = b""
        greeting = self._read(4)
        if greeting != b"API\0":
            return
        self._message()
        self._say(str(VERSION), "20240320 12:00:00 UTC")
        while (fields := self._message()) is not None:
            self.gateway.asked.append(fields)
            if not self._answer(fields):
                return

    def _answer(self, fields: Sequence[str]) -> bool:
        """Answer a request; False ends the connection."""
        if fields[0] == START_API:
            self._say("15", "1", "DU1")
            self._say("9", "1", "1")
        if fields[0] == CONTRACT:
            self._contract(fields[2], fields[4], fields[5])
        if fields[0] == HEAD:
            self._head(fields[1], fields[3])
        if fields[0] == HISTORY:
            return self._history(fields)
        return True

    def _contract(self, request: str, symbol: str, kind: str) -> None:
        trouble = self.gateway.contract_trouble
        if trouble is not None:
            self._error(request, trouble.code, trouble.said)
            return
        if symbol not in ("AAPL", "EUR"):
            self._error(request, 200, "No security definition has been found for the request")
            return
        currency, exchange = "USD", "NASDAQ" if kind == "STK" else "IDEALPRO"
        named = self.gateway.symbol or symbol
        self._say(
            *("10", request, named, kind, "", "0", ""),
            *("SMART" if kind == "STK" else exchange, currency, named),
            *("NMS", "NMS", "265598", "0.01", "", "", "SMART", "1", "0", "A NAME"),
            *(exchange if kind == "STK" else "", "", "", "", "", "US/Eastern", "", "", "", "0", "0"),
            *("1", "", "", "26", "", "COMMON", "1", "1", "100"),
        )
        self._say("52", "1", request)

    def _head(self, request: str, symbol: str) -> None:
        trouble = self.gateway.head_trouble
        if trouble is not None:
            self._error(request, trouble.code, trouble.said)
            return
        self._say("88", request, str(int(_bars(symbol)["time"][0].timestamp())))

    def _history(self, fields: Sequence[str]) -> bool:
        request, symbol = fields[1], fields[3]
        trouble = self.gateway.troubles.popleft() if self.gateway.troubles else Trouble()
        if trouble.way:
            return trouble.way == "silence"
        if trouble.code:
            self._error(request, trouble.code, trouble.said)
            return True
        end, duration = datetime.strptime(fields[15], "%Y%m%d %H:%M:%S UTC").replace(tzinfo=UTC), fields[17]
        count, _, unit = duration.partition(" ")
        start = end - int(count) * STEP[unit]
        rows = _bars(symbol).filter((pl.col("time") >= start) & (pl.col("time") < end)).rows()
        if not rows:
            self._error(request, 162, NO_DATA)
            return True
        is_daily = fields[16] == "1 day"
        told = [_row(row, is_daily=is_daily, has_volume=symbol == "AAPL") for row in rows]
        self._say("17", request, "", "", str(len(rows)), *(each for row in told for each in row))
        return True

    def _error(self, request: str, code: int, said: str) -> None:
        self._say("4", "2", request, str(code), said, "")

    def _say(self, *fields: str) -> None:
        text = "".join(f"{each}\0" for each in fields).encode()
        self.request.sendall(struct.pack(">I", len(text)) + text)

    def _message(self) -> Sequence[str] | None:
        head = self._read(4)
        if len(head) < 4:
            return None
        return self._read(struct.unpack(">I", head)[0]).decode().split("\0")[:-1]

    def _read(self, count: int) -> bytes:
        while len(self._rest) < count:
            more = self.request.recv(65536)
            if not more:
                return b""
            self._rest += more
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken


def _bars(symbol: str) -> pl.DataFrame:
    return DAYS if symbol == "AAPL" else HOURS


def _row(row: Row, *, is_daily: bool, has_volume: bool) -> list[str]:
    when, *prices, volume = row
    told = f"{when:%Y%m%d}" if is_daily else str(int(when.timestamp()))
    return [told, *map(str, prices), str(volume if has_volume else -1), "0", "1"]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def ib_gateway() -> Iterator[Gateway]:
    """Serve until the end of the block."""
    gateway = Gateway()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"gateway": gateway}))
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
