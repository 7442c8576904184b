"""A disk without room is one sentence with the bytes needed and free, and never a half-written file.

A limit on the size of files stands for the disk: a write beyond it fails as one without room does.
"""

import errno
import io
import json
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from ktrdr.atomic_files import new_directory, write_bytes
from ktrdr.disk_space import is_disk_full
from ktrdr.errors import DiskFull
from ktrdr.market_data.sample import load_sample
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.operations.events import Failed, WorkerEvent
from ktrdr.server.stores.memory import MemoryOperationStore
from ktrdr.worker.folders import Folders
from ktrdr.worker.runner import run
from support.installation import Installation
from support.small_api import small_api

BARS = load_sample("MSFT", "raw").write_csv()
UPLOAD = "upl_" + "a" * 26


@contextmanager
def room_in_a_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _model(folder: Path) -> None:
    ModelCatalog(folder).save("trend", "run", {"model.json": b"{}", "weights": b"x" * 1998})


def _checkpoint(folder: Path) -> None:
    with new_directory(folder / "epoch-000001", 2000) as beside:
        (beside / "tensors").write_bytes(b"x" * 2000)


WRITES: dict[str, Callable[[Path], None]] = {
    "a file": lambda folder: write_bytes(folder / "file", b"x" * 2000),
    "a model": _model,
    "a checkpoint": _checkpoint,
}


@pytest.mark.parametrize("what", WRITES)
def test_fault_15_what_finds_no_room_is_told_with_its_bytes_and_leaves_nothing(
    tmp_path: Path, what: str
) -> None:
    with room_in_a_file(1000), pytest.raises(DiskFull) as full:
        WRITES[what](tmp_path)
    assert "2,000 bytes are needed and " in full.value.message
    assert " are free (File too large)" in full.value.message
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_fault_15_what_was_there_stays(tmp_path: Path) -> None:
    write_bytes(tmp_path / "file", b"old")
    with room_in_a_file(1000), pytest.raises(DiskFull):
        write_bytes(tmp_path / "file", b"x" * 2000)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_fault_15_libraries_that_say_it_in_their_own_words_are_understood(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": range(100_000)})
    with room_in_a_file(1000), pytest.raises(pl.exceptions.ComputeError) as raised:
        frame.write_parquet(tmp_path / "bars.parquet", compression="uncompressed")
    assert is_disk_full(raised.value)
    assert not is_disk_full(OSError(errno.EIO, "Input/output error"))


class SilentChannel:
    """A worker's channel to nobody."""

    def send(self, event: WorkerEvent) -> None:
        """Nobody listens."""

    def cancelled(self) -> bool:
        return False

    def finish(self) -> None:
        """Nothing is abandoned here."""


WRONG = "time,open,high,low,close,volume\n" + "2020-01-02,1,2,3,1.5,\n" * 500
OWN_FILES = {"bars, by the owner of durable writes": BARS, "what is wrong with them, by a library": WRONG}


@pytest.mark.parametrize("written", OWN_FILES)
def test_fault_15_an_operation_without_room_fails_in_one_sentence_and_is_no_defect(
    tmp_path: Path, written: str
) -> None:
    folders = Folders(tmp_path / "bars", tmp_path / "models", tmp_path / "uploads")
    folders.uploads.mkdir()
    (folders.uploads / UPLOAD).write_text(OWN_FILES[written])
    assignment = {
        "operation_id": "op_a",
        "operation_type": "data_import",
        "fence": 1,
        "request": {
            "upload_id": UPLOAD,
            "file_name": "m.csv",
            "symbol": "M",
            "timeframe": "1d",
            "quarantine": True,
        },
        "work_folder": str(tmp_path / "work"),
        "log_path": str(tmp_path / "worker.log"),
    }
    with room_in_a_file(1000):
        ended = run(assignment, SilentChannel(), folders)
    assert isinstance(ended, Failed)
    assert (ended.error.reason, ended.error.code) == ("error", "disk_full")
    assert ended.error.detail.startswith("there is no room for `")
    assert "that are free" in ended.error.detail or "bytes are needed" in ended.error.detail
    assert "defect" not in str(ended.error.hint)


@pytest.mark.anyio
async def test_fault_15_an_upload_without_room_is_refused_before_or_while_it_is_sent(tmp_path: Path) -> None:
    async with small_api(tmp_path, MemoryOperationStore()) as http:
        vast = {"Content-Length": str(10**18)}
        announced = await http.post("/api/v1/uploads", content=b"a,b", headers=vast)
        with room_in_a_file(1000):
            sent = await http.post("/api/v1/uploads", content=b"x" * 2000)
        whole = await http.post("/api/v1/uploads", content=b"x" * 2000)
    assert [each.status_code for each in (announced, sent, whole)] == [507, 507, 201]
    assert "1,000,000,000,000,000,000 bytes are needed and " in announced.json()["detail"]
    assert "2,000 bytes are needed and " in sent.json()["detail"]
    assert [path.stat().st_size for path in (tmp_path / "uploads").iterdir()] == [2000]


def test_fault_15_a_server_that_has_no_room_to_start_is_told_though_its_log_is_empty(
    ktrdr: Installation,
) -> None:
    limited = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
        "os.execv(sys.executable, [sys.executable, '-m', 'ktrdr', 'operations', 'list', '-o', 'json'])"
    )
    done = subprocess.run(
        [ktrdr.python, "-c", limited], env=ktrdr.environment, capture_output=True, check=False
    )
    assert ktrdr.settings.server_log.read_bytes() == b""
    assert done.returncode == 69
    error = json.load(io.BytesIO(done.stdout))["error"]
    assert error["code"] == "disk_full"
    assert "bytes are needed and " in error["detail"]
    assert b"Traceback" not in done.stderr
