"""A file that another program holds, or a disk without room, refuses starts and hinders nothing else."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from ktrdr.operations.running.unstored import NOT_STORED
from ktrdr.server.stores.sqlite import SqliteOperationStore
from support.small_api import small_api, until

pytestmark = pytest.mark.anyio
FIRST, SECOND = "op_dummy_aaaaaaaaaaaa", "op_dummy_bbbbbbbbbbbb"


@contextmanager
def held(path: Path) -> Iterator[None]:
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        stranger.execute("ROLLBACK")
        stranger.close()


class Limited(sqlite3.Connection):
    """A connection whose disk can be full, and which counts how often it was refused."""

    is_full = False
    refused = 0

    def execute(self, statement: str, values: object = (), /) -> sqlite3.Cursor:
        try:
            if self.is_full and statement.split(maxsplit=1)[0] in {"INSERT", "UPDATE"}:
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            return super().execute(statement, values)  # type: ignore[arg-type]  # as it came
        except sqlite3.OperationalError:
            self.refused += 1
            raise


class Connections(list[Limited]):
    """Every connection that a store opened."""

    def __call__(self, path: Path, **how: object) -> Limited:
        self.append(sqlite3.connect(path, factory=Limited, **how))  # type: ignore[call-overload]  # as it came
        return self[-1]


async def start(http: httpx.AsyncClient, key: str) -> httpx.Response:
    return await http.post("/api/v1/dummy/start", json={}, headers={"Idempotency-Key": key})


async def test_fault_19_a_start_is_refused_while_the_file_is_held_and_succeeds_once_afterwards(
    tmp_path: Path,
) -> None:
    path = tmp_path / "operations.sqlite"
    async with small_api(tmp_path, SqliteOperationStore(path, lock_timeout=0.1)) as http:
        with held(path):
            refused = await start(http, FIRST)
        answers = [await start(http, FIRST) for _ in range(2)]
        total = (await http.get("/api/v1/operations")).json()["total_count"]
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "database is locked" in refused.json()["detail"]
    assert [each.status_code for each in answers] == [202, 200]
    assert total == 1


async def test_fault_19_a_start_succeeds_if_the_file_is_let_go_in_time(tmp_path: Path) -> None:
    path = tmp_path / "operations.sqlite"
    connections = Connections()
    async with small_api(tmp_path, SqliteOperationStore(path, connect=connections)) as http:
        with held(path):
            starting = asyncio.create_task(start(http, FIRST))
            while not connections[0].refused:
                await asyncio.sleep(0)
            page = (await http.get("/api/v1/operations")).json()  # reading goes on
        assert page["total_count"] == 0
        assert (await starting).status_code == 202


async def test_fault_19_a_cancellation_reaches_the_worker_while_the_file_is_held(tmp_path: Path) -> None:
    path = tmp_path / "operations.sqlite"
    async with small_api(tmp_path, SqliteOperationStore(path)) as http:
        await start(http, FIRST)
        await until(http, FIRST, "running")
        with held(path):
            answer = await http.post(f"/api/v1/operations/{FIRST}/cancel", json={"reason": "enough"})
            ended = await until(http, FIRST, "cancelled")
        assert answer.status_code == 202
        assert answer.json()["data"]["warnings"] == ended["warnings"] == [NOT_STORED]
        while (await until(http, FIRST, "cancelled"))["warnings"]:
            await asyncio.sleep(0)
    assert await stored_statuses(path) == {FIRST: "cancelled"}


async def test_fault_16_a_full_disk_refuses_starts_in_one_sentence_and_lets_work_be_stopped(
    tmp_path: Path,
) -> None:
    path = tmp_path / "operations.sqlite"
    connections = Connections()
    async with small_api(tmp_path, SqliteOperationStore(path, connect=connections)) as http:
        await start(http, FIRST)
        await until(http, FIRST, "running")
        connections[0].is_full = True
        refused = await start(http, SECOND)
        await http.post(f"/api/v1/operations/{FIRST}/cancel", json={"force": True})
        ended = await until(http, FIRST, "cancelled")
        connections[0].is_full = False
        assert (await start(http, SECOND)).status_code == 202
        while (await until(http, FIRST, "cancelled"))["warnings"]:
            await asyncio.sleep(0)
    assert refused.status_code == 507
    words = refused.json()["detail"]
    assert words.startswith(f"there is no room for `{path}`: 16,384 bytes are needed and ")
    assert "free (database or disk is full)" in words
    assert ended["warnings"] == [NOT_STORED]


async def stored_statuses(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    found = dict(connection.execute("SELECT operation_id, status FROM operations"))
    connection.close()
    return found
