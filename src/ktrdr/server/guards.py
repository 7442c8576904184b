"""What every request must pass: no web page as its author, no foreign host, no endless body."""

from collections.abc import Set

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ktrdr.server.problems import problem

LARGEST_BODY = 1024 * 1024
HOSTS = frozenset({"ktrdr", "localhost", "127.0.0.1", "[::1]"})


class RequestGuards:
    """Refuses requests with an `Origin`, an unknown `Host` or a body over `largest_body` bytes.

    The paths in `unlimited` take bodies of any size.
    """

    def __init__(
        self, app: ASGIApp, largest_body: int = LARGEST_BODY, unlimited: Set[str] = frozenset()
    ) -> None:
        self._app = app
        self._largest_body = largest_body
        self._unlimited = unlimited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with the reason why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := _refusal(dict(scope["headers"])):
            await problem(403, "Refused", refusal)(scope, receive, send)
            return
        is_unlimited = scope["path"] in self._unlimited
        try:
            await self._app(scope, receive if is_unlimited else self._counted(receive), send)
        except _TooLarge:
            detail = f"the body is larger than {self._largest_body:,} bytes"
            await problem(413, "Too large", detail)(scope, receive, send)

    def _counted(self, receive: Receive) -> Receive:
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._largest_body:
                raise _TooLarge
            return message

        return counted


class _TooLarge(BaseException):
    """Raised through the framework, which would turn an ordinary exception into a 400."""


def _refusal(headers: dict[bytes, bytes]) -> str | None:
    if b"origin" in headers:
        return "requests from web pages are not answered"
    host = headers.get(b"host", b"").decode("latin-1")
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return None if name in HOSTS else "this host name is not served"
