"""`ktrdr server` by hand, and how a command finds a server or starts one."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ktrdr.cli import local_server
from ktrdr.cli.app import main
from ktrdr.cli.local_server import stop_server
from ktrdr.client.local_socket import is_listening
from ktrdr.client.server_identity import read_identity
from ktrdr.errors import Unavailable
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


def test_fault_21_a_server_whose_history_is_damaged_says_so_in_one_sentence(
    run: Run, settings: Settings
) -> None:
    settings.state_dir.mkdir(parents=True)
    settings.database.write_text("this is no database, whatever its name says " * 40)
    code, _, words = run("operations", "list")
    assert code == 70
    assert f"error: the operations file `{settings.database}` cannot be read: file is not a database" in words
    assert "hint: nothing was removed" in words
    assert "Traceback" not in settings.server_log.read_text()


def test_fault_57_a_server_that_cannot_start_says_why(run: Run, settings: Settings) -> None:
    settings.state_dir.mkdir(parents=True)
    settings.database.mkdir()
    code, _, words = run("operations", "list")
    assert code == 69
    assert "the embedded server did not start" in words
    assert "cannot be opened: Is a directory" in words


def test_a_runtime_directory_that_others_can_enter_is_refused(run: Run, settings: Settings) -> None:
    settings.runtime_dir.mkdir(parents=True)
    settings.runtime_dir.chmod(0o777)
    code, _, words = run("operations", "list")
    assert code == 2
    assert "is not private to you" in words


@pytest.mark.parametrize("home", ["/dev/null", "/proc/x"])
def test_a_home_that_cannot_be_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.setenv("KTRDR_HOME", home)
    code, _, words = run("operations", "list")
    assert code == 2
    assert f"the directory `{home}/state` cannot be made" in words
    assert run("server", "status")[:2] == (8, "not running\n")


def test_a_state_directory_that_is_a_file_is_one_sentence(run: Run, settings: Settings) -> None:
    settings.state_dir.parent.mkdir(parents=True)
    settings.state_dir.write_text("")
    code, _, words = run("operations", "list")
    assert code == 2
    assert f"the directory `{settings.state_dir}` cannot be made: Not a directory" in words


def test_fault_75_a_log_that_cannot_be_written_is_one_sentence(run: Run, settings: Settings) -> None:
    settings.server_log.mkdir(parents=True)
    settings.stop_mark.mkdir()
    code, _, words = run("operations", "list")
    assert code == 69
    assert f"the embedded server cannot be started: `{settings.server_log}`: Is a directory" in words
    assert "hint: if that cannot be mended, set KTRDR_HOME" in words


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"pid": "x"}'])
def test_an_identity_that_says_nothing_is_nobody(run: Run, settings: Settings, text: str) -> None:
    settings.state_dir.mkdir(parents=True, mode=0o700)
    settings.server_note.write_text(text)
    assert run("server", "status")[:2] == (8, "not running\n")


def test_a_server_that_does_not_answer_is_said_so_and_ends_by_force(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_server, "ANSWER_TIMEOUT", 0.2)
    monkeypatch.setattr(local_server, "STOP_TIMEOUT", 0.2)
    run("server", "start")
    identity = read_identity(settings)
    assert identity
    os.kill(identity.pid, signal.SIGSTOP)
    for command in ("status", "stop"):
        code, _, words = run("server", command)
        assert code == 69
        assert f"the server (process {identity.pid}) does not answer" in words
    with pytest.raises(Unavailable, match="has not stopped within"):
        stop_server(identity, timeout=0.01)
    assert run("server", "stop", "--force") == (0, "stopped\n", "")
    assert not identity.is_running


def test_a_port_that_cannot_be_is_a_wrong_address(run: Run) -> None:
    code, _, words = run("operations", "list", "--url", "http://127.0.0.1:99999")
    assert code == 2
    assert "is not the address of a server" in words


def test_fault_54_an_idle_server_of_another_build_is_replaced(run: Run, settings: Settings) -> None:
    run("server", "start")
    first = read_identity(settings)
    assert first
    _pretend_another_build(settings)
    assert run("operations", "list")[0] == 0
    second = read_identity(settings)
    assert second
    assert not first.is_running
    assert second.pid != first.pid


def _pretend_another_build(settings: Settings) -> None:
    file = settings.server_note
    file.write_text(json.dumps({**json.loads(file.read_text()), "build": "another"}))
