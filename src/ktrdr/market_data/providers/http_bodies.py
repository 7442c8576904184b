"""What of an answer's body is accepted: all of it, and not without limit."""

import zlib
from collections.abc import Iterator

from ktrdr.market_data.providers.retrying import PassingTrouble

MOST_BYTES = 64 * 1024 * 1024
MOST_RATIO = 100
SMALL = 1024 * 1024  # below it any ratio will do: short texts that repeat themselves shrink well
PIECE = 64 * 1024
ANY_HEADER = 47  # gzip or zlib, as zlib.decompressobj finds out
NO_HEADER = -15  # raw deflate, which some servers send as `deflate`

BROKE_OFF = "broke off in the middle of an answer"
TOO_SLOW = "does not come to the end of its answer"


class BodyRefused(Exception):
    """A body is too large, grows too much, or is not in an encoding that was asked for."""


class Received:
    """Collects the bytes of a body as they come; raises BodyRefused once there are too many."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, piece: bytes) -> int:
        """Keep a piece and return its length."""
        if len(self._bytes) + len(piece) > MOST_BYTES:
            raise BodyRefused("is too large")
        self._bytes += piece
        return len(piece)

    @property
    def body(self) -> bytes:
        """Return what came."""
        return bytes(self._bytes)


def decoded(body: bytes, encoding: str) -> bytes:
    """Return a body without its content encoding, in pieces, so that a bomb is noticed before it goes off.

    Raises BodyRefused beyond 64 MB or a hundredfold growth, and PassingTrouble for a body that breaks off.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise BodyRefused("is in an encoding that was not asked for")
    whole = bytearray()
    for used, piece in _inflated(body):
        whole += piece
        if len(whole) > MOST_BYTES or len(whole) > max(SMALL, MOST_RATIO * used):
            raise BodyRefused("grows without limit when it is unpacked")
    return bytes(whole)


def _inflated(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield how many bytes were used so far, and the next piece."""
    rest = body
    while rest:
        inflater = _inflater(rest)
        while not inflater.eof:
            try:
                piece = inflater.decompress(rest, PIECE)
            except zlib.error:
                raise BodyRefused("cannot be unpacked") from None
            rest = inflater.unconsumed_tail
            if not piece and not rest and not inflater.eof:
                raise PassingTrouble(BROKE_OFF)
            yield len(body) - len(rest) - len(inflater.unused_data), piece
        rest = inflater.unused_data


def _inflater(body: bytes) -> "zlib._Decompress":
    is_known = body[:2] == b"\x1f\x8b" or (body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0)
    return zlib.decompressobj(ANY_HEADER if is_known else NO_HEADER)
