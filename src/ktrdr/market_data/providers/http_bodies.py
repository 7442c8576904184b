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
    for used, piece in _unpacked(memoryview(body)):
        whole += piece
        if len(whole) > MOST_BYTES or len(whole) > max(SMALL, MOST_RATIO * used):
            raise BodyRefused("grows without limit when it is unpacked")
    return bytes(whole)


def _unpacked(body: memoryview) -> Iterator[tuple[int, bytes]]:
    """Yield how many bytes were used so far, and the next piece; a body may be several in a row."""
    used = 0
    while used < len(body):
        inflater = _inflater(bytes(body[used : used + 2]))
        while not inflater.eof:
            given = bytes(body[used : used + PIECE])
            piece = _inflated(inflater, given)
            used += len(given) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
            if not piece and not given and not inflater.eof:
                raise PassingTrouble(BROKE_OFF)
            yield used, piece


def _inflated(inflater: "zlib._Decompress", given: bytes) -> bytes:
    try:
        return inflater.decompress(given, PIECE)
    except zlib.error:
        raise BodyRefused("cannot be unpacked") from None


def _inflater(start: bytes) -> "zlib._Decompress":
    is_known = start == b"\x1f\x8b" or (start[0] & 0x0F == 8 and int.from_bytes(start, "big") % 31 == 0)
    return zlib.decompressobj(ANY_HEADER if is_known else NO_HEADER)
