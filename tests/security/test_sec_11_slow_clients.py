"""Row 30, threats 10 and 11: who comes by a port and does not get on is let go, and nobody waits for him."""

import asyncio
from pathlib import Path

import pytest

from ktrdr.server.connections import BODY_PIECE, BoundedProtocol, Limits
from support.doors import everything, served

pytestmark = pytest.mark.anyio

WHOLE = b"GET / HTTP/1.1\r\nHost: ktrdr\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: ktrdr\r\nContent-Length: 10\r\n\r\n"
LONG_POST = POST.replace(b"10", b"1000000")
FIELD = b"X-A: b\r\n"
STALLED = {
    "says nothing": b"",
    "stops in its header": b"GET / HTTP/1.1\r\nHost: k",
    "stops between blank lines": b"\r\n\r\n",
    "stops in its body": POST + b"half",
    "stops after an answer": WHOLE,
    "stops in the header after an answer": WHOLE + b"GET / HT",
    "stops between blank lines after an answer": WHOLE + b"\r\n",
}
LARGE = {
    "a field without end": b"GET / HTTP/1.1\r\nX-A: " + b"x" * 40_000,
    "a field": b"GET / HTTP/1.1\r\nX-A: " + b"x" * 17_000 + b"\r\n\r\n",
    "many fields": b"GET / HTTP/1.1\r\n" + FIELD * 101 + b"\r\n",
    "an address": b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\n\r\n",
    "fields after a body": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    + FIELD * 200
    + b"\r\n",
}


class Impatient(BoundedProtocol):
    """Waits for little and takes few, so that a test need not."""

    limits = Limits(connections=5, header_seconds=0.2, body_seconds=0.2, idle_seconds=0.2)


async def test_sec_11_whoever_stalls_is_let_go_and_the_owner_of_the_socket_is_not_hurried(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, Impatient) as doors:
        reader, writer = await doors.by_socket(POST + b"half")
        for said in STALLED.values():
            answered = await everything(await doors.by_port(said))
            assert (b"hello 0" in answered) == said.startswith(WHOLE)
        writer.write(b"123456")
        assert (await reader.readuntil(b"hello 10")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("beginning", [b"GET / HTTP/1.1\r\nX: ", LONG_POST], ids=["header", "body"])
async def test_fault_30_a_byte_now_and_then_does_not_buy_time(tmp_path: Path, beginning: bytes) -> None:
    async with served(tmp_path, Impatient) as doors:
        connection = await doors.by_port(beginning)
        over = asyncio.ensure_future(everything(connection))
        while not over.done():
            await asyncio.wait({over}, timeout=0.02)
            connection[1].write(b"x")
        assert b"hello" not in over.result()


async def test_fault_30_a_crowd_that_says_nothing_is_told_to_come_back_and_then_let_go(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, Impatient) as doors:
        crowd = [await doors.by_port() for _ in range(40)]
        reader, _ = await doors.by_socket(WHOLE)
        assert (await reader.readuntil(b"hello 0")).startswith(b"HTTP/1.1 200")
        answers = [await everything(each) for each in crowd]
        refused = [each for each in answers if each.startswith(b"HTTP/1.1 503")]
        assert len(refused) == 35
        assert all(b"retry-after: 1" in each for each in refused)
        assert b"hello 0" in await everything(await doors.by_port(WHOLE))


@pytest.mark.parametrize("name", LARGE)
async def test_sec_10_a_header_that_is_too_large_is_refused_at_either_door(tmp_path: Path, name: str) -> None:
    async with served(tmp_path) as doors:
        assert b" 431 " in await everything(await doors.by_port(LARGE[name]))
        assert b" 431 " in await everything(await doors.by_socket(LARGE[name]))


async def test_a_large_body_behind_a_usual_header_is_taken_at_either_door(tmp_path: Path) -> None:
    """As many fields as there may be, and two bodies of some mebibytes on one connection."""
    size = 2 * BODY_PIECE + 7
    head = b"POST / HTTP/1.1\r\n" + FIELD * 98 + b"Host: k\r\nContent-Length: %d\r\n\r\n" % size
    async with served(tmp_path) as doors:
        for reader, writer in (await doors.by_port(), await doors.by_socket()):
            for _ in range(2):
                writer.write(head + b"x" * size)
                await reader.readuntil(b"hello %d" % size)


def test_what_one_client_may_use_is_what_the_contract_says() -> None:
    assert Limits() == Limits(256, 16_384, 100, header_seconds=10.0, body_seconds=30.0, idle_seconds=15.0)
