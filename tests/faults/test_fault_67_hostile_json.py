"""A body that means nothing, or two things, or too much, is refused in one sentence and costs little."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ktrdr.operations.store import OperationFilter
from ktrdr.server.guards import LARGEST_BODY
from ktrdr.server.stores.memory import MemoryOperationStore
from support.small_api import small_api

pytestmark = pytest.mark.anyio
START = "/api/v1/dummy/start"
JSON = {"Content-Type": "application/json"}

HOSTILE = {
    "NaN": (b'{"duration": NaN}', "`NaN` is not a number"),
    "infinity": (b'{"duration": -Infinity}', "`-Infinity` is not a number"),
    "a number beyond all": (b'{"duration": 1e999}', "the number `1e999` is too large"),
    "an integer of 5,000 digits": (b'{"iterations": ' + b"9" * 5000 + b"}", "has more than 64 bits"),
    "an integer of 65 bits": (b'{"iterations": 9223372036854775808}', "has more than 64 bits"),
    "a negative one": (b'{"iterations": -9223372036854775809}', "has more than 64 bits"),
    "100,000 levels of lists": (b"[" * 100_000, "it is nested too deeply"),
    "100,000 levels of objects": (b'{"a":' * 100_000, "it is nested too deeply"),
    "a key twice": (b'{"duration": 1, "duration": 2}', "the key `duration` is there twice"),
    "a key twice further in": (b'{"a": [{"b": 1, "b": 2}]}', "the key `b` is there twice"),
    "no JSON": (b'{"duration": ', "is not JSON"),
    "no object": (b"[1]", "should be a mapping"),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_fault_67_it_is_refused_and_nothing_is_started(tmp_path: Path, what: str) -> None:
    body, words = HOSTILE[what]
    store = MemoryOperationStore()
    async with small_api(tmp_path, store) as http:
        answer = await http.post(START, content=body, headers=JSON)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert len(answer.content) < 1000
    assert (await store.list(OperationFilter())).total_count == 0


async def test_fault_67_of_a_body_of_200_megabytes_no_more_is_read_than_may_be_sent(tmp_path: Path) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200 * 16):
            sent += 65536
            yield b"[" * 65536

    async with small_api(tmp_path, MemoryOperationStore()) as http:
        answer = await http.post(START, content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert sent <= LARGEST_BODY + 65536


@pytest.mark.parametrize("path", [START, "/api/v1/uploads"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate, br", "zstd"])
async def test_sec_12_a_packed_body_is_not_unpacked(tmp_path: Path, path: str, encoding: str) -> None:
    headers = {**JSON, "Content-Encoding": encoding}
    async with small_api(tmp_path, MemoryOperationStore()) as http:
        packed = await http.post(path, content=gzip.compress(b"{}"), headers=headers)
        plain = await http.post(path, content=b"{}", headers={**JSON, "Content-Encoding": "identity"})
    assert packed.status_code == 415
    assert "without `Content-Encoding`" in packed.json()["detail"]
    assert plain.status_code in {201, 202}
