"""One connection to Interactive Brokers' own program, usable from any thread."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ib_async import IB, RequestError

from ktrdr.errors import InputInvalid, ProviderFailed
from ktrdr.market_data.providers.http_bodies import BROKE_OFF
from ktrdr.market_data.providers.retrying import PassingTrouble

HISTORY_TROUBLE = 162
NO_DATA = "no data"
TOO_FAST = "pacing"
SHOWN = 200

Answered = TypeVar("Answered")


class Refused(Exception):
    """The program answers with an error; `code` is its number, `said` its words."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code = code
        self.said = said[:SHOWN]


class IbConnection:
    """Connects when it is first needed and again when it was lost, in an event loop and thread of its own.

    `address` is `host:port`. Nothing but what is asked for is requested: no positions, orders or accounts.
    """

    def __init__(self, address: str, client_id: int, timeout: float) -> None:
        self._host, self._port = _host_and_port(address)
        self._client_id = client_id
        self._timeout = timeout
        self._ib: IB | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ib", daemon=True)
        self._thread.start()

    def ask(self, question: Callable[[IB], Awaitable[Answered]]) -> Answered:
        """Return the answer to a question.

        Raises ProviderFailed if the program is not there, PassingTrouble if no answer comes in time or the
        connection breaks, and Refused for an answer that is an error.
        """
        try:
            return asyncio.run_coroutine_threadsafe(self._answered(question), self._loop).result()
        except RequestError as error:
            raise _sorted_out(error.code, error.message) from None
        except TimeoutError:
            raise PassingTrouble("does not answer in time") from None
        except ConnectionError:
            raise PassingTrouble(BROKE_OFF) from None

    def close(self) -> None:
        """Let go of the connection and of the thread."""
        asyncio.run_coroutine_threadsafe(self._disconnect(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _answered(self, question: Callable[[IB], Awaitable[Answered]]) -> Answered:
        ib = await self._connected()
        return await asyncio.wait_for(question(ib), self._timeout)

    async def _connected(self) -> IB:
        if self._ib is not None and self._ib.client.isReady():
            return self._ib
        ib = IB()
        ib.RaiseRequestErrors = True
        try:
            connecting: Awaitable[None] = ib.client.connectAsync(  # type: ignore[no-untyped-call]  # it has none
                self._host, self._port, self._client_id, self._timeout
            )
            await connecting
        except (OSError, TimeoutError):
            raise self._not_there() from None
        self._ib = ib
        return ib

    async def _disconnect(self) -> None:
        if self._ib is not None and self._ib.client.isReady():
            gone = asyncio.Event()
            self._ib.client.conn.disconnected += lambda _: gone.set()
            self._ib.client.disconnect()  # type: ignore[no-untyped-call]  # the library has no type for it
            await asyncio.wait_for(gone.wait(), self._timeout)

    def _not_there(self) -> ProviderFailed:
        return ProviderFailed(
            f"no TWS or IB Gateway lets us in at `{self._host}:{self._port}`",
            hint="start it, log in and enable API connections on that port; KTRDR_IB_ADDRESS says where it "
            f"is, KTRDR_IB_CLIENT_ID another client id if something else uses {self._client_id}",
        )


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise InputInvalid(
            f"`{address}` is no address", hint="KTRDR_IB_ADDRESS is host:port, as 127.0.0.1:4001"
        )
    return host, int(port)


def _sorted_out(code: int, said: str) -> Exception:
    if code == HISTORY_TROUBLE and TOO_FAST in said.lower():
        return PassingTrouble("says that it is asked too often")
    return Refused(code, said)
