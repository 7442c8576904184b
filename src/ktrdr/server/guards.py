"""What every request must pass: no web page as author, no foreign host, a plain body of bounded size.

A route is called once the whole body is there and known to be harmless, whether it reads it or not.
"""

import json
import re
from collections.abc import Sequence, Set

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ktrdr.server.problems import problem
from ktrdr.server.strict_json import strictness_fault

LARGEST_BODY = 1024 * 1024
HOST = re.compile(rb"(ktrdr|localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
OWN_SITES = frozenset({b"none", b"same-origin"})
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class RequestGuards:
    """Refuses web pages, an unknown `Host`, a packed body, and one over `largest_body` bytes or not plain.

    The paths in `unlimited` take bodies of any size and kind.
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
        elif refusal := _refusal(scope["headers"]):
            await problem(403, "Refused", refusal)(scope, receive, send)
        elif _is_packed(scope["headers"]):
            detail = "a body is taken as it is: send it without `Content-Encoding`"
            await problem(415, "Not this encoding", detail)(scope, receive, send)
        elif scope["path"] in self._unlimited:
            await self._app(scope, receive, send)
        else:
            await self._with_body(scope, receive, send)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._body(receive)
        if body is None:
            return
        if len(body) > self._largest_body:
            detail = f"the body is larger than {self._largest_body:,} bytes"
            await problem(413, "Too large", detail)(scope, receive, send)
        elif fault := _fault_of(body):
            await problem(422, "The request is not valid", fault)(scope, receive, send)
        else:
            await self._app(scope, _again(body, receive), send)

    async def _body(self, receive: Receive) -> bytes | None:
        """Return the body, or more than may be of it; None if the client went away before its end."""
        body = bytearray()
        more = True
        while more and len(body) <= self._largest_body:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body that was read already, and then whatever comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _fault_of(body: bytes) -> str | None:
    if not _is_text(body):
        return "the body is not text: it has bytes or escapes that stand for no character"
    fault = strictness_fault(body.decode())
    return f"the body is not JSON that means one thing: {fault}" if fault else None


def _is_text(body: bytes) -> bool:
    """Tell whether every character exists: JSON can spell halves of one, which nothing can write again."""
    try:
        text = body.decode()
        if SURROGATE.search(text):
            json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeError:
        return False
    except (ValueError, RecursionError):
        return True  # it is text; the route says what is wrong with it
    return True


def _is_packed(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-encoding" and value.lower() != b"identity" for name, value in headers)


def _refusal(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    names = [name for name, _ in headers]
    sites = {value for name, value in headers if name == b"sec-fetch-site"}
    if b"origin" in names or not sites <= OWN_SITES:
        return "requests from web pages are not answered"
    hosts = [value for name, value in headers if name == b"host"]
    is_known = len(hosts) == 1 and HOST.fullmatch(hosts[0])
    return None if is_known else "this host name is not served"
