"""HTTP over the private socket of a server of ours, which may have to be started, or may have moved."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2

from ktrdr.client.local_socket import refuse_strangers
from ktrdr.errors import AccessDenied

CONNECTED = "connection.connect_unix_socket.complete"


class LocalSocketTransport(httpx2.AsyncBaseTransport):
    """Speaks to the embedded server; when its socket is refused, starts a new one and asks again at once.

    `restart` returns where the new one listens. Nothing is sent to a server of anybody but the user: of who
    runs this, if none is given.
    """

    def __init__(self, socket: Path, restart: Callable[[], Awaitable[Path]], user: int | None = None) -> None:
        self._socket = socket
        self._restart = restart
        self._user = user
        self._pools: dict[Path, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer; raises KtrdrError when no server can be started, or the socket is not ours."""
        request.extensions = {**request.extensions, "trace": self._refuse_strangers}
        try:
            return await self._pool().handle_async_request(request)
        except httpx2.ConnectError:
            self._socket = await self._restart()
            return await self._pool().handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for each in self._pools.values():
            await each.aclose()

    def _pool(self) -> httpx2.AsyncHTTPTransport:
        if self._socket not in self._pools:
            self._pools[self._socket] = httpx2.AsyncHTTPTransport(uds=str(self._socket), trust_env=False)
        return self._pools[self._socket]

    async def _refuse_strangers(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear of every step of a request; end it where its new connection leads to another user."""
        if event == CONNECTED:
            stream = info["return_value"]
            try:
                refuse_strangers(stream.get_extra_info("socket"), self._user)
            except AccessDenied:
                await stream.aclose()
                raise
