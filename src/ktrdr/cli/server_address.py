"""Addresses of servers, as people write them, and the way to them that the environment asks for."""

from urllib.request import getproxies, proxy_bypass

import httpx2

from ktrdr.errors import InputInvalid

PORTS = range(1, 65536)
LOOPBACK = frozenset({"ktrdr", "localhost", "127.0.0.1", "::1"})


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


def way_to(url: str) -> httpx2.AsyncHTTPTransport:
    """Return how a server is reached: by the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names, if any.

    One on this machine or in NO_PROXY is reached directly. Raises InputInvalid for a proxy of another kind.
    """
    parsed = httpx2.URL(url)
    if parsed.host in LOOPBACK:
        return httpx2.AsyncHTTPTransport(trust_env=False)
    named = getproxies()
    proxy = named.get(parsed.scheme) or named.get("all")
    if not proxy or proxy_bypass(parsed.netloc.decode()):
        return httpx2.AsyncHTTPTransport()
    return httpx2.AsyncHTTPTransport(proxy=_checked_proxy(proxy, parsed.host))


def _checked_proxy(text: str, host: str) -> str:
    """Return the proxy's address, which may hold a password and is therefore never shown."""
    address = text if "://" in text else f"http://{text}"
    try:
        scheme = httpx2.URL(address).scheme
    except httpx2.InvalidURL:
        scheme = "that is none"
    if scheme not in {"http", "https"}:
        raise InputInvalid(
            f"the way to `{host}` leads by a proxy (`{scheme}`) that cannot be used",
            hint=f"set HTTP_PROXY or HTTPS_PROXY to one over HTTP, or NO_PROXY={host}",
        )
    return address
