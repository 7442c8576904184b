"""What Yahoo answers about a symbol, checked before the library `yfinance` makes bars of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from ktrdr.errors import DataInvalid, ProviderFailed
from ktrdr.market_data.providers.guarded_http import UNREADABLE, Answer, GuardedHttp, Request
from ktrdr.market_data.providers.retrying import LATER

HOST = "query2.finance.yahoo.com"
CHART = f"https://{HOST}/v8/finance/chart"
NO_DATA = "Data doesn't exist"  # how Yahoo begins to say that a range has no bars
SHOWN = 200
CLOSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class NoBars(Exception):
    """The symbol is known, and there are no bars of it in the range."""


@dataclass(frozen=True, slots=True)
class ChartText:
    """An answer as `yfinance` wants to have it."""

    text: str

    def json(self) -> Any:
        """Return what the text says."""
        return json.loads(self.text)


class ChartReader:
    """Asks for charts of one symbol in place of the library's own session, cookies and caches.

    Charts need neither cookie nor crumb. Raises DataInvalid for an unknown symbol and for an answer about
    another one, NoBars for an empty range, ProviderFailed for what cannot be read.
    """

    def __init__(self, http: GuardedHttp, source: str, symbol: str) -> None:
        self._http = http
        self._source = source
        self._symbol = symbol
        self.chart: Mapping[str, Any] = {}

    def meta(self) -> Mapping[str, Any]:
        """Return what is said of the symbol itself."""
        self._ask(CHART + "/" + self._symbol, {"range": "1d", "interval": "1d"})
        meta: Mapping[str, Any] = self.chart["meta"]
        return meta

    def get(self, url: str, params: Mapping[str, Any], timeout: float | None = None) -> ChartText:  # noqa: ARG002
        """Return a chart that has bars; `yfinance` says which."""
        text = self._ask(url, params)
        if not self.chart.get("timestamp"):
            raise NoBars
        return text

    cache_get = get  # what the library asks for when the range is over; nothing is cached here

    def without_volume(self) -> list[int]:
        """Return the times, in seconds, of bars whose volume is not known."""
        volumes = self.chart["indicators"]["quote"][0]["volume"]
        return [when for when, volume in zip(self.chart["timestamp"], volumes, strict=True) if volume is None]

    def _ask(self, url: str, params: Mapping[str, Any]) -> ChartText:
        said = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in params.items()
        }
        answer = self._http.send(Request("GET", f"{quote(url, safe=':/=&')}?{urlencode(said)}"))
        if answer.status in CLOSED:
            raise ProviderFailed(f"`{self._source}` does not let this machine in", hint=LATER)
        try:
            text = ChartText(answer.body.decode())
            self.chart = self._checked(answer, text.json()["chart"])
        except UNREADABLE:
            raise self._http.unreadable() from None
        return text

    def _checked(self, answer: Answer, said: Mapping[str, Any]) -> Mapping[str, Any]:
        if answer.status >= HTTPStatus.BAD_REQUEST or not said["result"]:
            raise self._nothing(answer, (said["error"] or {}).get("description") or "")
        chart: Mapping[str, Any] = said["result"][0]
        about = chart["meta"]["symbol"]
        if about != self._symbol:
            words = f"`{self._source}` answers about `{str(about)[:SHOWN]}` when asked about `{self._symbol}`"
            raise DataInvalid(
                words, hint="nothing was taken from it; if the symbol was renamed, ask for the new one"
            )
        return chart

    def _nothing(self, answer: Answer, reason: str) -> Exception:
        if answer.status == HTTPStatus.NOT_FOUND:
            hint = "look it up at finance.yahoo.com; as AAPL, ^GSPC, EURUSD=X, BTC-USD, VOD.L"
            return DataInvalid(f"`{self._source}` has no symbol `{self._symbol}`", hint=hint)
        if reason.startswith(NO_DATA) or answer.status < HTTPStatus.BAD_REQUEST:
            return NoBars()
        return DataInvalid(
            f"`{self._source}` refuses: {reason[:SHOWN]}", hint="ask for another range or timeframe"
        )
