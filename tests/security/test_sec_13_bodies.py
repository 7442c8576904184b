"""Row 13: what a source sends is taken only so far, however small it looks."""

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from ktrdr.market_data.providers.http_bodies import MOST_BYTES, SMALL, BodyRefused, Received, decoded
from ktrdr.market_data.providers.retrying import PassingTrouble
from support.market_server import gzip_bomb_body

TEXT = b'{"bars": [1, 2, 3]}' * 50
MEGABYTE = 1024 * 1024


def raw_deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT), "x-gzip"),
        (gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (raw_deflated(TEXT), "deflate"),
    ],
    ids=["none", "identity", "gzip", "x-gzip", "two parts", "deflate", "raw deflate"],
)
def test_a_body_is_unpacked_from_every_encoding_that_is_asked_for(body: bytes, encoding: str) -> None:
    assert decoded(body, encoding) == TEXT


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflated])
def test_a_long_body_is_unpacked_whole(pack: Callable[[bytes], bytes]) -> None:
    long = random.Random(7).randbytes(300_000) + bytes(300_000)
    assert decoded(pack(long), "gzip" if pack is gzip.compress else "deflate") == long


def test_an_empty_body_is_empty_in_every_encoding() -> None:
    assert [decoded(b"", each) for each in ("", "gzip", "deflate")] == [b"", b"", b""]


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "pickle"])
def test_sec_13_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(BodyRefused, match="not asked for"):
        decoded(TEXT, encoding)


def test_sec_13_a_bomb_of_a_gigabyte_is_refused_with_little_memory() -> None:
    bomb = gzip_bomb_body()
    tracemalloc.start()
    with pytest.raises(BodyRefused, match="without limit"):
        decoded(bomb, "gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MEGABYTE


def test_sec_13_a_body_that_is_large_without_being_a_bomb_is_refused_beyond_64_megabytes() -> None:
    packed = zlib.compress(bytes(range(256)) * 64 * 5000, 0)
    with pytest.raises(BodyRefused, match="without limit"):
        decoded(packed, "deflate")


def test_what_is_short_may_shrink_as_it_likes() -> None:
    assert decoded(gzip.compress(bytes(SMALL)), "gzip") == bytes(SMALL)


def test_sec_13_a_packed_body_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    with pytest.raises(PassingTrouble, match="broke off"):
        decoded(gzip.compress(TEXT)[:-9], "gzip")


def test_sec_13_a_body_that_only_says_it_is_packed_is_refused() -> None:
    with pytest.raises(BodyRefused, match="cannot be unpacked"):
        decoded(b"\x1f\x8bnonsense", "gzip")


def test_sec_13_more_than_64_megabytes_are_not_even_collected() -> None:
    received = Received()
    piece = bytes(MOST_BYTES // 2)
    assert [received.take(piece), received.take(piece)] == [len(piece), len(piece)]
    with pytest.raises(BodyRefused, match="too large"):
        received.take(b"x")
