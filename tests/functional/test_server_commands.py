"""`ktrdr server` by hand, and how a command finds a server or starts one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ktrdr.cli.app import main
from ktrdr.cli.local_server import is_listening, read_identity, stop_server
from ktrdr.settings import Settings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("KTRDR_HOME", str(tmp_path / "k"))
    found = Settings.load()
    yield found
    if identity := read_identity(found):
        stop_server(identity)


@pytest.fixture
def run(settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("sys.excepthook", None)

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def test_a_server_is_started_once_shown_and_stopped(run: Run, settings: Settings) -> None:
    assert run("server", "status") == (8, "not running\n", "")
    code, words, _ = run("server", "start")
    assert code == 0
    assert words.startswith("running as process ")
    assert words.endswith("0 active operations\n")
    assert run("server", "start")[1] == words
    assert run("server", "logs")[0] == 0
    assert run("server", "stop") == (0, "stopped\n", "")
    assert run("server", "stop") == (0, "not running\n", "")
    assert not is_listening(settings.socket_path)


def test_a_busy_server_is_not_stopped_unless_forced(run: Run, settings: Settings) -> None:
    run("server", "start")
    run("dummy", "run", "--duration", "0.05", "--iterations", "1", "-q")
    assert run("server", "stop")[0] == 0


def test_logs_of_a_server_that_never_ran_are_not_found(run: Run) -> None:
    code, _, words = run("server", "logs")
    assert code == 5
    assert "there is no server log yet" in words


def test_fault_57_a_server_that_cannot_start_says_why(run: Run, settings: Settings) -> None:
    settings.runtime_dir.mkdir(parents=True)
    settings.runtime_dir.chmod(0o777)
    code, _, words = run("operations", "list")
    assert code != 0
    assert "the embedded server did not start" in words
    assert "is not private to you" in words


def test_fault_54_an_idle_server_of_another_build_is_replaced(run: Run, settings: Settings) -> None:
    run("server", "start")
    first = read_identity(settings)
    assert first
    _pretend_another_build(settings)
    assert run("operations", "list")[0] == 0
    second = read_identity(settings)
    assert second
    assert first.process() is None
    assert second.pid != first.pid


def _pretend_another_build(settings: Settings) -> None:
    file = settings.runtime_dir / "server.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "build": "another"}))
