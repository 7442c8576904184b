"""Where things are: under one home, or under the user's folders, and never at too long a socket path."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrdr.settings import LONGEST_SOCKET_PATH, Settings


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return a folder of so short a name that a socket fits into it, wherever the tests run."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_one_home_moves_everything_together(tmp_path: Path) -> None:
    settings = Settings.load({"KTRDR_HOME": str(tmp_path)})
    folders = (
        settings.state_dir,
        settings.data_dir,
        settings.models_dir,
        settings.cache_dir,
        settings.runtime_dir,
    )
    assert all(folder.is_relative_to(tmp_path) for folder in folders)
    assert len(set(folders)) == 5
    assert settings.server_log.parent == settings.uploads_dir.parent == settings.state_dir
    assert settings.lock_path.parent == settings.server_note.parent == settings.state_dir


def test_without_a_home_of_its_own_the_users_folders_are_used(tmp_path: Path) -> None:
    settings = Settings.load({"HOME": "/home/x", "XDG_RUNTIME_DIR": str(tmp_path)})
    assert settings.api_url is None
    assert settings.runtime_dir.parent == tmp_path / "ktrdr"
    assert settings.state_dir == Path("/home/x/.local/state/ktrdr")
    assert settings.data_dir == Path("/home/x/.local/share/ktrdr/bars")
    assert settings.models_dir == Path("/home/x/.local/share/ktrdr/models")
    assert settings.cache_dir == Path("/home/x/.cache/ktrdr")


def test_the_socket_is_in_a_folder_named_after_the_state(tmp_path: Path) -> None:
    """The first twelve hexadecimal digits of the SHA-256 of its path, as `sha256sum` tells it."""
    settings = Settings.load({"XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": str(tmp_path)})
    assert settings.socket_path == tmp_path / "ktrdr" / "9158d00dea4c" / "server.sock"


@pytest.mark.parametrize("given", ["", "relative/home"])
def test_fault_75_where_no_home_is_named_the_user_database_names_it(given: str) -> None:
    for environment in ({}, {"HOME": given}, {"XDG_STATE_HOME": given}):
        usual = Path(pwd.getpwuid(os.getuid()).pw_dir)
        assert Settings.load(environment).state_dir == usual / ".local" / "state" / "ktrdr"


@pytest.mark.parametrize("given", ["", "relative", "/nowhere/at/all", "/dev/null"])
def test_fault_75_a_runtime_folder_that_is_none_is_a_private_temporary_one(
    tmp_path: Path, given: str
) -> None:
    settings = Settings.load({"XDG_RUNTIME_DIR": given, "TMPDIR": str(tmp_path)})
    assert settings.runtime_dir.parent == tmp_path / f"ktrdr-{os.getuid()}"


def test_fault_75_a_runtime_folder_that_others_can_enter_is_not_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    settings = Settings.load({"XDG_RUNTIME_DIR": str(tmp_path), "TMPDIR": str(tmp_path)})
    assert settings.runtime_dir.parent == tmp_path / f"ktrdr-{os.getuid()}"


@pytest.mark.parametrize("given", ["", "relative", "/nowhere/at/all"])
def test_fault_75_a_temporary_folder_that_is_none_is_the_systems(given: str) -> None:
    assert Settings.load({"TMPDIR": given}).runtime_dir.parent == Path(f"/tmp/ktrdr-{os.getuid()}")


def test_a_server_of_ones_own_is_named_by_the_environment() -> None:
    assert Settings.load({"KTRDR_API_URL": "http://x:1"}).api_url == "http://x:1"
    assert Settings.load({"KTRDR_API_URL": ""}).api_url is None


def test_a_socket_path_that_no_system_takes_moves_to_a_temporary_directory(tmp_path: Path) -> None:
    long = tmp_path / ("x" * LONGEST_SOCKET_PATH)
    long.mkdir()
    for name in ("KTRDR_HOME", "XDG_RUNTIME_DIR", "TMPDIR"):
        path = Settings.load({name: str(long)}).socket_path
        assert len(str(path)) <= LONGEST_SOCKET_PATH
        assert path.parent.parent.name.startswith("ktrdr-")
