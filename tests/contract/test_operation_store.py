"""What every operation store promises, and what only the one on disk can."""

import asyncio
import gc
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ktrdr.errors import KtrdrError, Unavailable
from ktrdr.operations.operation import TERMINAL, Operation, OperationStatus, WorkerIdentity
from ktrdr.operations.progress import GenericProgressState, PhaseProgress
from ktrdr.operations.store import OperationFilter, OperationStore
from ktrdr.server.stores.memory import MemoryOperationStore
from ktrdr.server.stores.sqlite import SqliteOperationStore
from ktrdr.server.stores.sqlite_schema import SCHEMA_VERSION
from support.operations import LOST, NOW, an_operation, cancelling, running

pytestmark = pytest.mark.anyio

EVERYTHING = cancelling(
    worker=WorkerIdentity("host", 42, 1714979289.125),
    heartbeat=7,
    completed_at=NOW,
    progress=GenericProgressState(
        operation_id="op_count_aaaaaaaaaaaa",
        percentage=12.5,
        items_total=8,
        seq=3,
        phases=(PhaseProgress("load", 2.0, 50.0), PhaseProgress("train")),
        context={"epoch_metrics": {"loss": [0.25, None]}, "name": "Köln 'x'; --"},
    ),
    result_summary={"counted": 3, "ratio": 0.1},
    error=LOST,
    checkpoint="epoch-3",
    warnings=("one", "two"),
    metadata={"description": "count to 3"},
    resumed_from="op_count_bbbbbbbbbbbb",
)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OperationStore]:
    made = MemoryOperationStore() if request.param == "memory" else SqliteOperationStore(tmp_path / "ops.db")
    yield made
    await made.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "operations.db"


def newer(operation: Operation) -> Operation:
    return replace(operation, version=operation.version + 1, heartbeat=operation.heartbeat + 1)


async def test_what_was_inserted_is_read_back_with_every_field(store: OperationStore) -> None:
    assert await store.insert(EVERYTHING)
    assert await store.get(EVERYTHING.operation_id) == EVERYTHING


async def test_what_was_replaced_is_read_back_with_every_field(store: OperationStore) -> None:
    await store.insert(an_operation())
    assert await store.replace(replace(EVERYTHING, version=2))
    assert await store.get(EVERYTHING.operation_id) == replace(EVERYTHING, version=2)


async def test_an_unknown_operation_is_none(store: OperationStore) -> None:
    assert await store.get("op_count_nowhere") is None


async def test_a_taken_id_is_not_inserted_again(store: OperationStore) -> None:
    await store.insert(an_operation())
    assert not await store.insert(replace(an_operation(), fingerprint="other"))
    assert await store.get("op_count_aaaaaaaaaaaa") == an_operation()


@pytest.mark.parametrize("version", [1, 3, 4])
async def test_only_the_next_version_replaces(store: OperationStore, version: int) -> None:
    await store.insert(an_operation())
    assert not await store.replace(running(version=version))
    assert await store.get("op_count_aaaaaaaaaaaa") == an_operation()


async def test_an_unknown_operation_is_not_replaced(store: OperationStore) -> None:
    assert not await store.replace(running(version=2))
    assert await store.get("op_count_aaaaaaaaaaaa") is None


async def test_of_many_writers_of_one_version_one_wins(store: OperationStore) -> None:
    await store.insert(an_operation())
    rivals = [running(version=2, heartbeat=number) for number in range(20)]
    won = await asyncio.gather(*map(store.replace, rivals))
    assert won.count(True) == 1
    assert await store.get("op_count_aaaaaaaaaaaa") == rivals[won.index(True)]


async def test_of_many_inserts_of_one_id_one_wins(store: OperationStore) -> None:
    won = await asyncio.gather(*(store.insert(an_operation(heartbeat=number)) for number in range(20)))
    assert won.count(True) == 1


@pytest.mark.parametrize("status", sorted(TERMINAL))
async def test_a_terminal_row_is_never_replaced(store: OperationStore, status: OperationStatus) -> None:
    ended = an_operation(status=status)
    await store.insert(ended)
    assert not await store.replace(newer(ended))
    assert await store.get(ended.operation_id) == ended


async def test_open_operations_come_oldest_first(store: OperationStore) -> None:
    for number, status in enumerate(OperationStatus):
        await store.insert(an_operation(f"op_{number}", status=status))
    assert [each.operation_id for each in await store.open_operations()] == ["op_0", "op_1"]


async def test_a_list_is_newest_first_also_after_a_change(store: OperationStore) -> None:
    for name in ("a", "b", "c"):
        await store.insert(an_operation(name))
    await store.replace(newer(an_operation("a")))
    page = await store.list(OperationFilter())
    assert [each.operation_id for each in page.operations] == ["c", "b", "a"]


async def test_a_page_counts_all_that_match_and_all_that_are_open(store: OperationStore) -> None:
    for number in range(5):
        await store.insert(an_operation(f"op_{number}"))
    await store.insert(an_operation("ended", status=OperationStatus.FAILED))
    page = await store.list(OperationFilter(limit=2, offset=1))
    assert [each.operation_id for each in page.operations] == ["op_4", "op_3"]
    assert (page.total_count, page.active_count) == (6, 5)


async def test_a_list_keeps_to_the_wanted_statuses(store: OperationStore) -> None:
    for status in OperationStatus:
        await store.insert(an_operation(status.value, status=status))
    wanted = frozenset({OperationStatus.FAILED, OperationStatus.PENDING})
    page = await store.list(OperationFilter(statuses=wanted))
    assert [each.operation_id for each in page.operations] == ["failed", "pending"]
    assert (page.total_count, page.active_count) == (2, 2)


async def test_a_list_keeps_to_the_wanted_type(store: OperationStore) -> None:
    await store.insert(an_operation("a", operation_type="training"))
    await store.insert(an_operation("b"))
    page = await store.list(OperationFilter(operation_type="training"))
    assert [each.operation_id for each in page.operations] == ["a"]
    assert page.total_count == 1


async def test_a_type_is_data_and_never_a_statement(store: OperationStore) -> None:
    await store.insert(an_operation("x' OR '1'='1"))
    page = await store.list(OperationFilter(operation_type="count' OR '1'='1"))
    assert page.total_count == 0
    assert await store.get("x' OR '1'='1") is not None


async def test_a_write_happens_though_its_caller_was_cancelled(store: OperationStore) -> None:
    await store.insert(an_operation())
    writing = asyncio.create_task(store.replace(running(version=2)))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait({writing})
    await store.list(OperationFilter())  # which waits for its turn behind the write
    assert await store.get("op_count_aaaaaaaaaaaa") == running(version=2)


async def test_a_file_keeps_its_operations_for_the_next_server(path: Path) -> None:
    first = SqliteOperationStore(path)
    await first.insert(EVERYTHING)
    await first.close()
    second = SqliteOperationStore(path)
    assert await second.get(EVERYTHING.operation_id) == EVERYTHING
    await second.close()


async def test_the_file_and_its_companions_are_private(path: Path) -> None:
    path.touch(0o644)
    store = SqliteOperationStore(path)
    await store.insert(an_operation())
    modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    await store.close()
    assert modes == {f"operations.db{end}": 0o600 for end in ("", "-wal", "-shm", "-tally")}


async def test_the_database_itself_freezes_terminal_rows(path: Path) -> None:
    store = SqliteOperationStore(path)
    await store.insert(an_operation(status=OperationStatus.COMPLETED))
    await store.close()
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="frozen"):
        connection.execute("UPDATE operations SET status = 'running'")
    connection.close()


async def test_every_commit_is_synced_to_a_write_ahead_log(path: Path) -> None:
    store = SqliteOperationStore(path)
    settings = await asyncio.get_running_loop().run_in_executor(store._thread, _settings, store)
    await store.close()
    assert settings == ("wal", 2)


def _settings(store: SqliteOperationStore) -> tuple[object, ...]:
    names = ("journal_mode", "synchronous")
    return tuple(store._file._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)


async def test_a_locked_file_is_unavailable_and_works_again_afterwards(path: Path) -> None:
    store = SqliteOperationStore(path, lock_timeout=0.0)
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="cannot be used now: database is locked"):
        await store.insert(an_operation())
    stranger.execute("ROLLBACK")
    stranger.close()
    assert await store.insert(an_operation())
    await store.close()


async def test_a_write_that_fails_when_its_caller_has_gone_disturbs_nobody(path: Path) -> None:
    store = SqliteOperationStore(path, lock_timeout=0.0)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(store.insert(an_operation()))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait({writing})
    assert (await store.list(OperationFilter())).total_count == 0
    stranger.close()
    await store.close()
    del writing
    gc.collect()
    assert complaints == []


async def test_a_full_disk_is_unavailable_and_leaves_what_was_stored(path: Path) -> None:
    store = SqliteOperationStore(path)
    await store.insert(an_operation())
    await asyncio.get_running_loop().run_in_executor(store._thread, _limit_pages, store)
    with pytest.raises(Unavailable, match="full"):
        await store.replace(running(version=2, metadata={"description": "x" * 100_000}))
    assert await store.get("op_count_aaaaaaaaaaaa") == an_operation()
    assert await store.replace(running(version=2))
    await store.close()


def _limit_pages(store: SqliteOperationStore) -> None:
    store._file._connection.execute("PRAGMA max_page_count = 8")


async def _refusal(path: Path) -> KtrdrError:
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(KtrdrError) as refused:
        SqliteOperationStore(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert refused.value.hint
    return refused.value


async def _filled(path: Path) -> None:
    store = SqliteOperationStore(path)
    for number in range(50):
        await store.insert(replace(EVERYTHING, operation_id=f"op_{number}"))
    await store.close()


async def test_a_file_of_a_newer_version_is_refused_untouched(path: Path) -> None:
    await _filled(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    assert "newer ktrdr (version 2)" in (await _refusal(path)).message


async def test_a_file_that_is_no_database_is_refused_untouched(path: Path) -> None:
    path.write_bytes(b"not a database at all " * 100)
    assert "file is not a database" in (await _refusal(path)).message


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "pages overwritten": lambda content: content[:4096] + b"\xff" * 8192 + content[12288:],
    "free pages miscounted": lambda content: content[:36] + b"\0\0\0\7" + content[40:],
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_file_is_refused_untouched(path: Path, damage: str) -> None:
    await _filled(path)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert "cannot be read" in (await _refusal(path)).message


async def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KtrdrError, match="cannot be opened: Is a directory"):
        SqliteOperationStore(tmp_path)
