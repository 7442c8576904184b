"""One state folder, one server: found from every surroundings, and by nobody who means other data."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from ktrdr.client.database_holder import server_that_has_open
from ktrdr.client.server_identity import folders_of, read_identity, refuse_other_folders, write_identity
from ktrdr.errors import Conflict
from ktrdr.server.daemon import AlreadyRunning
from ktrdr.server.environment import worker_variables
from ktrdr.server.residence import Residence
from ktrdr.settings import Settings

Surroundings = Mapping[str, str | None]

SAME_SERVER: Mapping[str, Surroundings] = {
    "cron: no runtime folder": {"XDG_RUNTIME_DIR": None},
    "another runtime folder": {"XDG_RUNTIME_DIR": "other"},
    "a runtime folder that was removed": {"XDG_RUNTIME_DIR": "gone"},
    "a runtime folder that is none": {"XDG_RUNTIME_DIR": "/dev/null"},
    "another temporary folder": {"TMPDIR": "other", "XDG_RUNTIME_DIR": None},
    "no temporary folder": {"TMPDIR": None, "XDG_RUNTIME_DIR": None},
    "a temporary folder that was removed": {"TMPDIR": "gone", "XDG_RUNTIME_DIR": None},
    "the usual state folder, spelled out": {"XDG_STATE_HOME": "home/.local/state"},
    "a state folder that is none": {"XDG_STATE_HOME": ""},
    "a home behind a link": {"HOME": "link"},
    "another cache": {"XDG_CACHE_HOME": "other"},
    "the home that was meant anyway": {"HOME": "other", "XDG_STATE_HOME": "home/.local/state"},
}
ANOTHER_SERVER: Mapping[str, Surroundings] = {
    "another home": {"HOME": "other"},
    "another home, nothing else to go by": {"HOME": "other", "XDG_RUNTIME_DIR": None, "TMPDIR": None},
    "another state folder": {"XDG_STATE_HOME": "other"},
    "a home of its own": {"KTRDR_HOME": "other"},
    "a home of its own in the usual place": {"KTRDR_HOME": "home"},
}
OTHER_FOLDERS: Mapping[str, Surroundings] = {
    "other data": {"XDG_DATA_HOME": "other"},
    "other data, no runtime folder": {"XDG_DATA_HOME": "other", "XDG_RUNTIME_DIR": None},
    "another home with the same state": {"HOME": "other", "XDG_STATE_HOME": "home/.local/state"},
}


@pytest.fixture
def usual(tmp_path: Path) -> dict[str, str]:
    """Return what a login shell has."""
    for name in ("home", "run", "other", "temporary"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "home")
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "TMPDIR": str(tmp_path / "temporary"),
    }


def changed(usual: Mapping[str, str], changes: Surroundings, tmp_path: Path) -> Settings:
    """Return the settings in surroundings that differ from the usual ones."""
    given = {name: str(tmp_path / value) if value else value for name, value in changes.items()}
    return Settings.load({name: value for name, value in {**usual, **given}.items() if value is not None})


@pytest.mark.parametrize("surroundings", SAME_SERVER)
def test_the_server_of_a_state_folder_is_found_from_everywhere(
    usual: dict[str, str], tmp_path: Path, surroundings: str
) -> None:
    settings = Settings.load(usual)
    here = changed(usual, SAME_SERVER[surroundings], tmp_path)
    write_identity(settings, settings.socket_path)
    found = read_identity(here)
    assert found
    assert (found.pid, found.socket) == (os.getpid(), settings.socket_path)
    assert here.lock_path.resolve() == settings.lock_path.resolve()


@pytest.mark.parametrize("surroundings", ANOTHER_SERVER)
def test_no_server_is_found_by_those_who_mean_another_state(
    usual: dict[str, str], tmp_path: Path, surroundings: str
) -> None:
    settings = Settings.load(usual)
    here = changed(usual, ANOTHER_SERVER[surroundings], tmp_path)
    write_identity(settings, settings.socket_path)
    assert read_identity(here) is None
    assert here.lock_path.resolve() != settings.lock_path.resolve()
    assert not set(here.runtime_dirs) & set(settings.runtime_dirs)


@pytest.mark.parametrize("surroundings", OTHER_FOLDERS)
def test_the_same_state_with_other_folders_is_refused_with_both(
    usual: dict[str, str], tmp_path: Path, surroundings: str
) -> None:
    settings = Settings.load(usual)
    here = changed(usual, OTHER_FOLDERS[surroundings], tmp_path)
    write_identity(settings, settings.socket_path)
    found = read_identity(here)
    assert found
    refuse_other_folders(found, settings)
    with pytest.raises(Conflict) as refused:
        refuse_other_folders(found, here)
    for folder in (settings.data_dir, settings.models_dir, here.data_dir, here.models_dir):
        assert f"`{folder}`" in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "nonsense",
        '{"pid": "x"}',
        '{"pid": 1, "started_at": 1, "build": "x"}',
        '{"pid": 1, "started_at": 1, "build": "x", "socket": "/s", "folders": ["/a"]}',
        '{"pid": 1, "started_at": 1, "build": "x", "socket": "/s", "folders": 7}',
        '{"pid": 1, "started_at": 1, "build": "x", "socket": 1, "folders": ["/a", "/b", "/c"]}',
    ],
)
def test_a_note_that_says_nothing_is_nobodys(tmp_path: Path, text: str) -> None:
    settings = Settings.load({"KTRDR_HOME": str(tmp_path)})
    settings.state_dir.mkdir()
    settings.server_note.write_text(text)
    assert read_identity(settings) is None


def test_a_note_that_was_copied_from_another_state_is_nobodys(tmp_path: Path) -> None:
    """A home that was copied while its server ran has no server."""
    ours, copied = (Settings.load({"KTRDR_HOME": str(tmp_path / name)}) for name in ("a", "b"))
    write_identity(ours, ours.socket_path)
    copied.state_dir.mkdir(parents=True)
    copied.server_note.write_bytes(ours.server_note.read_bytes())
    assert read_identity(copied) is None


FORMER_PROGRAM = """
import json, psutil, sqlite3, sys
from pathlib import Path
folder, database, _ = sys.argv[1:]
process = psutil.Process()
note = {"pid": process.pid, "started_at": process.create_time(), "build": "former"}
(Path(folder) / "server.json").write_text(json.dumps(note))
connection = sqlite3.connect(database)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("CREATE TABLE operations (number)")
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def former(usual: Mapping[str, str], tmp_path: Path, name: str = "ktrdr.server") -> Iterator[int]:
    """Let a process in surroundings of its own do what servers of former builds did."""
    folder = tmp_path / "run" / "ktrdr"
    folder.mkdir(mode=0o700)
    database = Settings.load(usual).database
    database.parent.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", FORMER_PROGRAM, str(folder), str(database), name],
        env=dict(usual),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process.pid
        process.communicate()


def test_a_server_of_a_former_build_is_found_where_it_kept_its_note(
    usual: dict[str, str], tmp_path: Path
) -> None:
    with former(usual, tmp_path) as pid:
        found = read_identity(Settings.load(usual))
        assert found
        assert (found.pid, found.socket) == (pid, tmp_path / "run" / "ktrdr" / "server.sock")
        refuse_other_folders(found, Settings.load(usual))
        elsewhere = changed(usual, {"XDG_DATA_HOME": "other"}, tmp_path)
        with pytest.raises(Conflict):
            refuse_other_folders(found, elsewhere)
        for changes in ANOTHER_SERVER.values():
            assert read_identity(changed(usual, changes, tmp_path)) is None


def test_a_note_of_a_former_build_that_ended_is_nobodys(usual: dict[str, str], tmp_path: Path) -> None:
    with former(usual, tmp_path):
        pass
    assert json.loads((tmp_path / "run" / "ktrdr" / "server.json").read_text())["build"] == "former"
    assert read_identity(Settings.load(usual)) is None


def test_a_server_of_a_former_build_is_found_by_the_database_it_has_open(
    usual: dict[str, str], tmp_path: Path
) -> None:
    """From surroundings in which nobody can guess where it kept its note."""
    here = changed(usual, {"XDG_RUNTIME_DIR": None, "TMPDIR": "other"}, tmp_path)
    with former(usual, tmp_path) as pid:
        assert server_that_has_open(here.database) == pid
        found = read_identity(here)
        assert found
        assert (found.pid, found.socket) == (pid, tmp_path / "run" / "ktrdr" / "server.sock")
        with pytest.raises(AlreadyRunning, match=f"process {pid}"), Residence(here):
            pass
    assert server_that_has_open(here.database) is None
    assert read_identity(here) is None


def test_a_program_that_looks_into_the_database_is_no_server(usual: dict[str, str], tmp_path: Path) -> None:
    with former(usual, tmp_path, name="sqlite-browser"):
        assert server_that_has_open(Settings.load(usual).database) is None


@pytest.mark.parametrize(
    "changes", [{}, {"KTRDR_HOME": "other"}, {"XDG_DATA_HOME": "other"}, {"XDG_STATE_HOME": "other"}]
)
def test_a_worker_has_the_folders_of_its_server(
    usual: dict[str, str], tmp_path: Path, changes: Surroundings
) -> None:
    given = {**usual, **{name: str(tmp_path / str(value)) for name, value in changes.items()}}
    server = Settings.load(given)
    assert folders_of(Settings.load(worker_variables(server, given))) == folders_of(server)


def test_a_worker_has_them_also_where_the_home_was_given_as_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its working directory is that of the server, which is not that of whoever started it."""
    monkeypatch.chdir(tmp_path)
    given = {"KTRDR_HOME": "home"}
    server = Settings.load(given)
    monkeypatch.chdir("/")
    assert folders_of(Settings.load(worker_variables(server, given))) == folders_of(server)
