"""Where things are: under one home, under the platform's folders, and never at too long a socket path."""

from pathlib import Path

from ktrdr.settings import LONGEST_SOCKET_PATH, Settings


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


def test_without_a_home_the_platforms_folders_are_used() -> None:
    settings = Settings.load({"XDG_RUNTIME_DIR": "/run/user/1"})
    assert settings.api_url is None
    assert settings.runtime_dir == Path("/run/user/1/ktrdr")
    assert settings.state_dir.name == "ktrdr"
    assert settings.data_dir != settings.models_dir


def test_a_server_of_ones_own_is_named_by_the_environment() -> None:
    assert Settings.load({"KTRDR_API_URL": "http://x:1"}).api_url == "http://x:1"
    assert Settings.load({"KTRDR_API_URL": ""}).api_url is None


def test_a_socket_path_that_no_system_takes_moves_to_a_temporary_directory(tmp_path: Path) -> None:
    long = "x" * LONGEST_SOCKET_PATH
    for environment in ({"KTRDR_HOME": str(tmp_path / long)}, {"XDG_RUNTIME_DIR": f"/run/{long}"}, {}):
        path = Settings.load(environment).socket_path
        assert len(str(path)) <= LONGEST_SOCKET_PATH
        assert path.parent.parent.name.startswith("ktrdr-")
