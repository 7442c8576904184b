"""Connections to the server: how many there may be, and how long and large a request may be on its way.

uvicorn only ends a connection that is idle after an answer; all else that a client can hold up ends here.
The owner of the private socket is not hurried, but has to leave descriptors for the server's work.
"""

import asyncio
import logging
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ktrdr.clock import Clock, SystemClock

LOG = logging.getLogger(__name__)
DESCRIPTORS_KEPT = 44  # for the database, logs, workers being started and files being read
DESCRIPTORS_WANTED = 16_384
FEWEST_CONNECTIONS = 8
BODY_PIECE = 1024 * 1024
QUIET_SECONDS = 60.0
OUT_OF_RESOURCE = "socket.accept() out of system resource"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may use: connections at once by port, bytes and fields of a header, and seconds.

    `body_seconds` are for a body of a mebibyte, and for each further one; `idle_seconds` between requests.
    """

    connections: int = 256
    header_bytes: int = 16 * 1024
    header_fields: int = 100
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 15.0


class BoundedProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, within limits."""

    limits: ClassVar[Limits] = Limits()

    _timer: asyncio.TimerHandle | None = None
    _begun = 0
    _in_message = _in_header = False
    _unparsed = 0
    _header_bytes = 0
    _body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Begin to wait for a request, or refuse where there are too many."""
        super().connection_made(transport)
        self.timeout_keep_alive = self.limits.idle_seconds  # type: ignore[assignment]  # the loop takes any
        by_port = sum(isinstance(each, BoundedProtocol) and bool(each.client) for each in self.connections)
        if len(self.connections) > most_connections() or (self.client and by_port > self.limits.connections):
            self._refuse(503, b"retry-after: 1\r\n")
        else:
            self._wait(self.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a header that does not end is refused before it fills the memory."""
        if self.transport.is_closing():
            return
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._wait(self.limits.header_seconds)
        one_header = self._begun + (not self._in_message) if self._in_header or not self._in_message else None
        super().data_received(data)
        if self._in_header and self._begun == one_header:
            self._unparsed += len(data)
            if self._unparsed > self.limits.header_bytes:
                self._refuse(431)

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._begun += 1
        self._in_message = self._in_header = True
        self._unparsed = self._header_bytes = self._body_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the address; raises ValueError, which ends the parsing, where it is too long."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; raises ValueError, which ends the parsing, where there are too many or too long."""
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if len(self.headers) > self.limits.header_fields or self._header_bytes > self.limits.header_bytes:
            self._refuse(431)
            raise ValueError("the header is too large")

    def on_headers_complete(self) -> None:
        """Begin to wait for the body."""
        self._in_header = False
        super().on_headers_complete()
        self._wait(self.limits.body_seconds)

    def on_body(self, body: bytes) -> None:
        """Take a piece; one that is still wanted may take its time again after each mebibyte."""
        super().on_body(body)
        self._body_bytes += len(body)
        if self._body_bytes >= BODY_PIECE and not self.cycle.response_complete:
            self._body_bytes = 0
            self._wait(self.limits.body_seconds)

    def on_message_complete(self) -> None:
        """Stop waiting: what comes next is the server's turn."""
        self._disarm()
        self._in_message = False
        super().on_message_complete()

    def _wait(self, seconds: float) -> None:
        self._disarm()
        if self.client:
            self._timer = self.loop.call_later(seconds, self._give_up)

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._refuse(408)
        self.transport.abort()

    def _refuse(self, status: int, fields: bytes = b"") -> None:
        end = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + fields + end)
        self.transport.close()


def raise_descriptor_limit() -> None:
    """Allow this process as many open files as it may allow itself, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections() -> int:
    """Return how many connections leave enough descriptors for the work."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft - DESCRIPTORS_KEPT, FEWEST_CONNECTIONS)


class QuietAccept:
    """An event loop's exception handler that says once a minute that no connection can be accepted.

    The loop itself pauses for a second and tries again.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._said: float | None = None

    def __call__(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Say it in one line; everything else is reported as always."""
        if context.get("message") != OUT_OF_RESOURCE:
            loop.default_exception_handler(dict(context))
            return
        now = self._clock.monotonic()
        if self._said is None or now - self._said >= QUIET_SECONDS:
            self._said = now
            LOG.warning("no connection can be accepted for now: %s", context.get("exception"))
