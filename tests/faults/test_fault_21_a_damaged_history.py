"""A history that is damaged, or lacks what was stored, is told in one sentence and never touched."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ktrdr.errors import StoreDamaged
from ktrdr.operations.operation import OperationStatus
from ktrdr.operations.running.unstored import NOT_STORED
from ktrdr.operations.store import OperationFilter
from ktrdr.server.stores.sqlite import SqliteOperationStore
from ktrdr.server.stores.tally import LINE_LENGTH, Tally, TallyFile
from support.operations import an_operation, running
from support.small_api import small_api

pytestmark = pytest.mark.anyio
ENDINGS = ("", "-wal", "-shm", "-tally")


async def filled(path: Path) -> SqliteOperationStore:
    """Return an open store of three operations, one changed and one ended, whose log is not folded in."""
    store = SqliteOperationStore(path)
    for name in "abc":
        await store.insert(an_operation(f"op_{name}"))
    await store.replace(running(operation_id="op_a", version=2))
    await store.replace(an_operation("op_b", version=2, status=OperationStatus.CANCELLED))
    return store


async def copied(path: Path, *without: str) -> Path:
    """Return a copy as a crash leaves it behind, without some of its files."""
    store = await filled(path)
    copy = path.with_name("copy.sqlite")
    for ending in set(ENDINGS) - set(without):
        copy.with_name(copy.name + ending).write_bytes(path.with_name(path.name + ending).read_bytes())
    await store.close()
    return copy


def contents(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in path.parent.iterdir() if not each.name.endswith("-shm")}


def refusal(path: Path) -> StoreDamaged:
    """Return how the file is refused, twice and untouched."""
    before = contents(path)
    for _ in range(2):
        with pytest.raises(StoreDamaged) as refused:
            SqliteOperationStore(path)
        assert contents(path) == before
    assert refused.value.hint
    assert "\n" not in refused.value.message
    return refused.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "operations.sqlite"


async def test_fault_22_a_file_whose_log_was_lost_is_refused_with_what_is_missing(path: Path) -> None:
    error = refusal(await copied(path, "-wal", "-shm"))
    assert "it lacks 3 of 3 operations and 5 of 5 changes that were stored" in error.message
    assert "`copy.sqlite-wal`" in str(error.hint)


async def test_fault_22_what_was_changed_but_not_added_is_missed_too(path: Path) -> None:
    store = await filled(path)
    await store.close()
    before = path.read_bytes()
    store = SqliteOperationStore(path)
    await store.replace(running(operation_id="op_a", version=3))
    await store.close()
    path.write_bytes(before)
    assert "it lacks 1 of 6 changes that were stored" in refusal(path).message


@pytest.mark.parametrize("lose", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["gone", "emptied"])
async def test_fault_22_an_emptied_file_is_no_new_one_and_its_log_is_not_removed(
    path: Path, lose: Callable[[Path], object]
) -> None:
    copy = await copied(path)
    lose(copy)
    assert "it lacks 3 of 3 operations" in refusal(copy).message


async def test_fault_22_without_its_tally_what_is_there_is_taken(path: Path) -> None:
    copy = await copied(path, "-wal", "-shm", "-tally")
    store = SqliteOperationStore(copy)
    assert await store.open_operations() == []
    await store.close()


async def test_fault_22_a_file_moved_away_with_its_companions_begins_an_empty_history(path: Path) -> None:
    await (await filled(path)).close()
    for ending in ENDINGS:
        path.with_name(path.name + ending).unlink(missing_ok=True)
    store = SqliteOperationStore(path)
    assert (await store.list(OperationFilter())).total_count == 0
    await store.close()


@pytest.mark.parametrize(
    "line", [b"", b"\0" * LINE_LENGTH, b"operations 9 changes", b"operations x changes 9"]
)
async def test_a_tally_that_cannot_be_read_expects_nothing(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "tally").write_bytes(line)
    file = TallyFile(tmp_path / "tally")
    assert file.read() == Tally()
    file.write(Tally(12, 345))
    assert file.read() == Tally(12, 345)
    file.close()


async def test_a_file_of_the_former_build_opens_with_all_it_holds(path: Path) -> None:
    """It has the same schema, and no tally beside it."""
    FORMER = """
        CREATE TABLE operations (
            number INTEGER PRIMARY KEY AUTOINCREMENT, operation_id TEXT NOT NULL UNIQUE,
            operation_type TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL,
            document TEXT NOT NULL
        );
        CREATE INDEX operations_by_status ON operations (status, number);
        PRAGMA user_version = 1;
    """
    document = {
        "operation_id": "op_a", "operation_type": "count", "request": {"to": 3}, "fingerprint": "f" * 64,
        "created_at": "2024-05-06T07:08:09Z", "status": "completed", "version": 4, "attempt": 1, "fence": 1,
        "heartbeat": 2, "worker": {"host": "host", "pid": 42, "started_at": 1.5},
        "result_summary": {"counted": 3},
        "progress": {"operation_id": "op_a", "percentage": 100.0, "seq": 3, "phases": [], "context": {}},
        "error": None, "checkpoint": None, "warnings": [], "metadata": {"description": "count to 3"},
    }  # fmt: skip
    connection = sqlite3.connect(path)
    connection.executescript(FORMER)
    row = ("op_a", "count", "completed", 4, json.dumps(document))
    columns = "operation_id, operation_type, status, version, document"
    connection.execute(f"INSERT INTO operations ({columns}) VALUES (?, ?, ?, ?, ?)", row)
    connection.commit()
    connection.close()
    store = SqliteOperationStore(path)
    found = await store.get("op_a")
    await store.close()
    assert found
    assert (found.status, found.version, found.result_summary) == ("completed", 4, {"counted": 3})


ODD: dict[str, object] = {
    "no object": [],
    "nothing": None,
    "a field missing": {"operation_id": "op_b"},
    "a field of another kind": {"operation_id": "op_b", "created_at": "yesterday"},
}


@pytest.mark.parametrize("shape", ODD)
async def test_fault_21_a_row_of_another_shape_is_told_by_its_id(path: Path, shape: str) -> None:
    await (await filled(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER terminal_rows_are_frozen")
    changed = "UPDATE operations SET document = ? WHERE operation_id = 'op_b'"
    connection.execute(changed, (json.dumps(ODD[shape]),))
    connection.commit()
    connection.close()
    assert "the row of `op_b` has another shape" in refusal(path).message


async def test_fault_21_a_history_damaged_under_a_running_server_is_told_and_well_again_when_mended(
    tmp_path: Path,
) -> None:
    path = tmp_path / "operations.sqlite"
    store = await filled(path)
    await store.replace(an_operation("op_a", version=3, status=OperationStatus.CANCELLED))
    await store.close()
    async with small_api(tmp_path, SqliteOperationStore(path), slots=0) as http:
        kept = path.rename(tmp_path / "kept")
        lost = [path.with_name(path.name + ending).rename(tmp_path / ending) for ending in ("-wal", "-shm")]
        path.write_bytes(b"no database at all " * 1000)
        answers = [await http.get(f"/api/v1/operations{each}") for each in ("", "/op_b", "")]
        stopped = await http.post("/api/v1/operations/op_c/cancel")
        kept.rename(path)
        again = await http.get("/api/v1/operations/op_b")
    assert len(lost) == 2
    assert [each.status_code for each in answers] == [500, 500, 500]
    for each in answers:
        assert each.json()["title"] == "What is stored of operations is damaged"
        assert f"the operations file `{path}` cannot be read: file is not a database" in each.json()["detail"]
        assert "nothing was removed" in each.json()["hint"]
    assert (stopped.status_code, stopped.json()["data"]["warnings"]) == (200, [NOT_STORED])
    assert again.json()["data"]["status"] == "cancelled"


async def test_fault_21_a_row_that_was_changed_by_hand_is_read_again(path: Path) -> None:
    store = await filled(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE operations SET version = 7 WHERE operation_id = 'op_a'")
    connection.commit()
    connection.close()
    assert not await store.replace(running(operation_id="op_a", version=3))
    await store.close()
