"""One state folder, one lock, one server; the door is opened again where somebody removed it."""

import fcntl
import json
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ktrdr.client.local_socket import is_listening
from ktrdr.client.server_identity import read_identity
from ktrdr.errors import InputInvalid
from ktrdr.server.daemon import AlreadyRunning
from ktrdr.server.residence import Residence
from ktrdr.settings import Settings


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder whose path is short enough for sockets below it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "run").mkdir(mode=0o700)
        yield Path(folder)


@pytest.fixture
def settings(place: Path) -> Settings:
    """Return the settings of a user with folders of the platform's kind."""
    return Settings.load(
        {"HOME": str(place / "home"), "XDG_RUNTIME_DIR": str(place / "run"), "TMPDIR": str(place)}
    )


def another_state(place: Path) -> Settings:
    return Settings.load({"HOME": str(place / "other"), "XDG_RUNTIME_DIR": str(place / "run")})


@contextmanager
def former_server(place: Path) -> Iterator[Path]:
    """Hold the lock of former builds in their runtime folder, alone as they did."""
    folder = place / "run" / "ktrdr"
    folder.mkdir(mode=0o700)
    with (folder / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder


def test_a_state_folder_has_one_server_at_a_time(settings: Settings) -> None:
    with Residence(settings), pytest.raises(AlreadyRunning), Residence(settings):
        pass
    with Residence(settings):
        pass


def test_the_lock_is_the_states_wherever_the_socket_would_be(settings: Settings, place: Path) -> None:
    """A command from cron, which has no runtime folder, comes to the same lock."""
    cron = Settings.load({"HOME": str(place / "home"), "TMPDIR": str(place)})
    assert cron.runtime_dir != settings.runtime_dir
    with Residence(settings), pytest.raises(AlreadyRunning), Residence(cron):
        pass


def test_states_of_one_user_do_not_shut_each_other_out(settings: Settings, place: Path) -> None:
    other_settings = another_state(place)
    with Residence(settings) as one, Residence(other_settings) as other, one.listen(), other.listen():
        assert read_identity(settings) != read_identity(other_settings)


def test_a_refused_server_keeps_no_lock(settings: Settings, place: Path) -> None:
    with former_server(place), pytest.raises(AlreadyRunning), Residence(settings):
        pass
    with Residence(settings):
        pass


def test_a_server_of_a_former_build_whose_state_nobody_knows_shuts_out_another(
    settings: Settings, place: Path
) -> None:
    with former_server(place), pytest.raises(AlreadyRunning), Residence(settings):
        pass


def test_a_server_of_a_former_build_with_another_state_is_none_of_ours(
    settings: Settings, place: Path
) -> None:
    """This test's own process is that server: its surroundings are those of whoever runs the tests."""
    with former_server(place) as folder:
        note = {"pid": os.getpid(), "started_at": psutil.Process().create_time(), "build": "former"}
        (folder / "server.json").write_text(json.dumps(note))
        with Residence(settings):
            pass


def test_a_server_of_a_former_build_cannot_start_beside_this_one(settings: Settings, place: Path) -> None:
    lock_path = place / "run" / "ktrdr" / "server.lock"
    with Residence(settings), lock_path.open("w") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("removed", ["server.sock", ".", "..", "../.."])
def test_a_removed_socket_or_folder_is_made_again(settings: Settings, place: Path, removed: str) -> None:
    with Residence(settings) as residence, residence.listen():
        assert residence.renewed() is None
        path = Path(os.path.normpath(settings.runtime_dir / removed))
        assert place in path.parents
        path.unlink() if removed == "server.sock" else shutil.rmtree(path)
        assert not is_listening(settings.socket_path)
        renewed = residence.renewed()
        assert renewed
        with renewed:
            assert is_listening(settings.socket_path)
            assert stat.S_IMODE(settings.runtime_dir.stat().st_mode) == 0o700
            assert residence.renewed() is None


def test_a_socket_in_the_place_of_ours_is_replaced(settings: Settings) -> None:
    with Residence(settings) as residence, residence.listen(), socket.socket(socket.AF_UNIX) as other:
        settings.socket_path.unlink()
        other.bind(str(settings.socket_path))
        renewed = residence.renewed()
        assert renewed
        with renewed:
            assert is_listening(settings.socket_path)


def test_where_the_folder_cannot_be_made_again_another_is_taken_and_written_down(
    settings: Settings, place: Path
) -> None:
    """After a logout the folder of the session is gone, and its user cannot make it."""
    with Residence(settings) as residence, residence.listen():
        shutil.rmtree(place / "run")
        (place / "run").write_text("no folder any more")
        renewed = residence.renewed()
        assert renewed
        with renewed:
            found = read_identity(settings)
            assert found
            assert found.socket.parent == settings.runtime_dirs[1]
            assert is_listening(found.socket)


def test_a_removed_note_is_written_again(settings: Settings) -> None:
    with Residence(settings) as residence, residence.listen():
        settings.server_note.unlink()
        renewed = residence.renewed()
        assert renewed
        with renewed:
            assert read_identity(settings)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_server_whose_state_folder_was_removed_has_lost_its_place(
    settings: Settings, replaced: bool
) -> None:
    """Whoever comes next has another lock and other data: two servers never serve one state folder."""
    with Residence(settings) as residence, residence.listen():
        shutil.rmtree(settings.state_dir)
        if replaced:
            with Residence(settings), pytest.raises(AlreadyRunning):
                residence.renewed()
        else:
            with pytest.raises(AlreadyRunning, match="was removed"):
                residence.renewed()


def test_sec_02_a_runtime_folder_that_others_can_enter_is_refused(settings: Settings) -> None:
    settings.runtime_dir.mkdir(parents=True)
    settings.runtime_dir.chmod(0o777)
    with pytest.raises(InputInvalid, match="is not private to you"), Residence(settings):
        pass


def test_a_state_folder_that_others_could_read_is_closed_to_them(settings: Settings) -> None:
    """Former builds left it as open as the umask said."""
    settings.state_dir.mkdir(parents=True)
    settings.state_dir.chmod(0o777)
    with Residence(settings):
        assert stat.S_IMODE(settings.state_dir.stat().st_mode) == 0o700


def test_whoever_leaves_takes_the_socket_and_its_empty_folder_away(settings: Settings) -> None:
    with Residence(settings) as residence, residence.listen():
        residence.leave()
        assert not settings.runtime_dir.exists()
        assert (settings.runtime_dir.parent / "server.lock").exists()


def test_what_somebody_else_put_beside_the_socket_stays(settings: Settings) -> None:
    with Residence(settings) as residence, residence.listen():
        (settings.runtime_dir / "notes").touch()
        residence.leave()
        assert [each.name for each in settings.runtime_dir.iterdir()] == ["notes"]


def test_whoever_has_lost_the_lock_takes_nothing_away(settings: Settings) -> None:
    """The next server of the state may be about to bind its socket there."""
    with Residence(settings) as residence, residence.listen():
        settings.lock_path.unlink()
        residence.leave()
        assert is_listening(settings.socket_path)


def test_a_server_that_fails_at_its_start_leaves_no_door_behind(settings: Settings) -> None:
    with pytest.raises(InputInvalid), Residence(settings) as residence, residence.listen():
        raise InputInvalid("port 1 cannot be used")
    assert not settings.runtime_dir.exists()
