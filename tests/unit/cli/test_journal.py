"""What was started from here is known after a crash, and a broken journal stops nothing."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ktrdr.cli import journal as module
from ktrdr.cli.journal import Journal

HERE = "http://ktrdr"


@pytest.fixture
def gone() -> int:
    """Return the id of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: int) -> Journal:
    """Return a journal written by a command that is gone."""
    monkeypatch.setattr(os, "getpid", lambda: gone)
    return Journal(tmp_path / "state" / "started.jsonl")


def test_a_start_that_was_never_settled_is_found_at_its_server(journal: Journal) -> None:
    journal.begin("op_a", HERE)
    journal.begin("op_b", HERE)
    journal.begin("op_c", "http://there")
    journal.settle("op_a", exists=True)
    assert journal.unsettled(HERE) == ["op_b"]
    assert journal.unsettled("http://there") == ["op_c"]


def test_what_a_living_command_started_is_its_own_affair(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "started.jsonl")
    journal.begin("op_a", HERE)
    assert journal.unsettled(HERE) == []


def test_nobody_else_can_read_it(journal: Journal, tmp_path: Path) -> None:
    journal.begin("op_a", HERE)
    assert stat.S_IMODE((tmp_path / "state" / "started.jsonl").stat().st_mode) == 0o600


def test_damaged_lines_are_passed_over(journal: Journal, tmp_path: Path) -> None:
    journal.begin("op_a", HERE)
    with (tmp_path / "state" / "started.jsonl").open("a") as file:
        file.write(
            'nonsense\n[]\n{"op": 3}\n{"op": "op_x", "settled": true}\n{"op": "op_y", "server": 1}\n{"op'
        )
    assert journal.unsettled(HERE) == ["op_a"]


def test_a_journal_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "started.jsonl")
    journal.begin("op_a", HERE)
    assert journal.unsettled(HERE) == []


def test_it_does_not_grow_for_ever(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 2000)
    monkeypatch.setattr(module, "KEPT", 5)
    for number in range(100):
        journal.begin(f"op_{number}", HERE)
    path = tmp_path / "state" / "started.jsonl"
    assert path.stat().st_size < 3000
    assert json.loads(path.read_text().splitlines()[-1])["op"] == "op_99"


def test_what_was_started_from_here_is_known_newest_first(journal: Journal) -> None:
    for name in ("op_a", "op_b", "op_c"):
        journal.begin(name, HERE)
    journal.begin("op_d", "http://there")
    journal.settle("op_a", exists=True)
    journal.settle("op_b", exists=False)
    assert journal.started(HERE) == ["op_c", "op_a"]
