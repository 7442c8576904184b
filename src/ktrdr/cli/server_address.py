"""Addresses of servers, as people write them."""

import httpx2

from ktrdr.errors import InputInvalid

PORTS = range(1, 65536)


def checked_address(url: str | None) -> str:
    """Return the address; raises InputInvalid for one that is none."""
    text = url or ""
    try:
        parsed = httpx2.URL(text)
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    is_port = (parsed.port or 1) in PORTS
    if parsed.scheme not in {"http", "https"} or not parsed.host or not is_port:
        raise InputInvalid(f"`{text}` is not the address of a server", hint="write it as http://host:port")
    return text
