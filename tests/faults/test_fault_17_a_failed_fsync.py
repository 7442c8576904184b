"""One connection, no write but in an immediate transaction, and none after a `fsync` that failed on it."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ktrdr.atomic_files import new_directory, write_bytes
from ktrdr.errors import Unavailable
from ktrdr.operations.store import OperationFilter
from ktrdr.server.stores.sqlite import SqliteOperationStore
from support.operations import an_operation, running
from support.small_api import small_api, until

pytestmark = pytest.mark.anyio
KEY = "op_dummy_aaaaaaaaaaaa"


class Watched(sqlite3.Connection):
    """A connection that writes down its statements, and whose next commit can fail to reach the disk."""

    def __init__(self, *where: object, **how: object) -> None:
        super().__init__(*where, **how)  # type: ignore[arg-type]  # as it came
        self.is_open, self.fails_to_sync = True, False
        self.statements: list[str] = []
        self.set_trace_callback(self.statements.append)

    def __exit__(self, *raised: object) -> bool:
        if not self.fails_to_sync:
            return bool(super().__exit__(*raised))  # type: ignore[call-overload]  # as it came
        self.rollback()
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    def close(self) -> None:
        self.is_open = False
        super().close()


class Connections(list[Watched]):
    """Every connection that a store opened."""

    def __call__(self, path: Path, **how: object) -> Watched:
        assert not any(each.is_open for each in self), "one connection at a time"
        self.append(sqlite3.connect(path, factory=Watched, **how))  # type: ignore[call-overload]  # as it came
        return self[-1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "operations.sqlite"


async def test_fault_17_what_was_not_synced_is_not_acknowledged_nor_synced_again_on_its_descriptor(
    path: Path,
) -> None:
    connections = Connections()
    store = SqliteOperationStore(path, connect=connections)
    connections[0].fails_to_sync = True
    with pytest.raises(Unavailable, match="cannot be used now: disk I/O error"):
        await store.insert(an_operation())
    assert await store.open_operations() == []
    assert await store.insert(an_operation())
    assert [each.is_open for each in connections] == [False, True]
    assert await store.get(an_operation().operation_id) == an_operation()
    await store.close()


async def test_fault_17_a_change_that_was_not_synced_is_shown_as_it_was_before(path: Path) -> None:
    connections = Connections()
    store = SqliteOperationStore(path, connect=connections)
    await store.insert(an_operation())
    connections[0].fails_to_sync = True
    with pytest.raises(Unavailable):
        await store.replace(running(version=2))
    assert (await store.list(OperationFilter())).operations == (an_operation(),)
    assert await store.replace(running(version=2))
    await store.close()


@pytest.mark.parametrize("write", ["file", "folder"])
async def test_fault_17_a_file_that_is_not_synced_never_gets_its_name(
    tmp_path: Path, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def fail(descriptor: int) -> None:
        tried.append(descriptor)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        WAYS[write](tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    assert len(tried) == 1


def _folder(path: Path) -> None:
    with new_directory(path) as beside:
        (beside / "weights").write_bytes(b"weights")


WAYS: dict[str, Callable[[Path], None]] = {"file": lambda path: write_bytes(path, b"new"), "folder": _folder}


async def test_fault_20_no_write_happens_outside_an_immediate_transaction(tmp_path: Path, path: Path) -> None:
    connections = Connections()
    async with small_api(tmp_path, SqliteOperationStore(path, connect=connections)) as http:
        await http.post("/api/v1/dummy/start", json={}, headers={"Idempotency-Key": KEY})
        await until(http, KEY, "running")
        await http.post(f"/api/v1/operations/{KEY}/cancel")
        await until(http, KEY, "cancelled")
    (connection,) = connections
    is_immediate, writes = False, 0
    for statement in connection.statements:
        word = statement.split(maxsplit=1)[0]
        if word in {"INSERT", "UPDATE", "DELETE", "REPLACE"}:
            assert is_immediate, statement
            writes += 1
        if word in {"BEGIN", "COMMIT", "ROLLBACK"}:
            assert word != "BEGIN" or statement == "BEGIN IMMEDIATE"
            is_immediate = word == "BEGIN"
    assert writes >= 4


_connects: list[str] = []
sys.addaudithook(
    lambda event, arguments: _connects.append(str(arguments[0])) if event == "sqlite3.connect" else None
)


async def test_sec_37_one_connection_is_all_that_is_ever_opened(tmp_path: Path, path: Path) -> None:
    """Versions of SQLite before 3.51.3 lose commits when a second connection resets the log."""
    _connects.clear()
    async with small_api(tmp_path, SqliteOperationStore(path)) as http:
        await asyncio.gather(*(http.post("/api/v1/dummy/start", json={}) for _ in range(5)))
        await asyncio.gather(*(http.get(f"/api/v1/{each}") for each in ("operations", "health")))
    assert [each for each in _connects if "operations" in each] == [str(path)]
