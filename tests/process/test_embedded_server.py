"""The embedded server: started by whoever comes first, private, and gone when it is not needed."""

import os
import signal
import socket
import stat
import subprocess
import sys

from ktrdr.client.local_socket import is_listening
from ktrdr.server.daemon import take_lock
from support.installation import Installation, ending, until
from support.processes import running


def at_once(ktrdr: Installation, count: int, *arguments: str) -> list[tuple[int, str]]:
    """Start a command so many times before any has ended; return exit codes and standard outputs."""
    started = [
        subprocess.Popen(
            [ktrdr.python, "-m", "ktrdr", *arguments],
            env=ktrdr.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(count)
    ]
    said = [each.communicate()[0] for each in started]
    return [(each.returncode, words) for each, words in zip(started, said, strict=True)]


def test_twenty_commands_at_once_start_one_server(ktrdr: Installation) -> None:
    done = at_once(ktrdr, 20, "operations", "list", "--output", "json")
    assert [code for code, _ in done] == [0] * 20
    assert len(running("ktrdr.server", ktrdr.processes())) == 1


def test_sec_01_the_socket_is_private(ktrdr: Installation) -> None:
    ktrdr.run("server", "start")
    path = ktrdr.settings.socket_path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_server_keeps_nothing_open_of_whoever_started_it(ktrdr: Installation) -> None:
    """Neither the lock of a script nor the pipe that `3>&1 | cat` waits for; the server runs on."""
    held = take_lock(ktrdr.home / "lock")
    reader, writer = os.pipe()
    with subprocess.Popen(
        [ktrdr.python, "-m", "ktrdr", "operations", "list"],
        env=ktrdr.environment,
        pass_fds=(held, writer),
    ) as command:
        os.close(writer)
        os.close(held)
        assert os.read(reader, 1) == b""
        os.close(reader)
    assert command.returncode == 0
    os.close(take_lock(ktrdr.home / "lock"))
    assert "running as process" in ktrdr.run("server", "status").stdout


def test_sec_02_a_runtime_directory_that_others_can_enter_is_refused(ktrdr: Installation) -> None:
    ktrdr.settings.runtime_dir.mkdir(parents=True, mode=0o755)
    ktrdr.settings.runtime_dir.chmod(0o777)
    done = ktrdr.run("operations", "list", expect=None)
    assert done.exit_code != 0
    assert "not private" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_server_leaves_the_first_alone(ktrdr: Installation) -> None:
    ktrdr.run("server", "start")
    first = ktrdr.server().pid
    second = subprocess.run(
        [sys.executable, "-m", "ktrdr.server"],
        env=ktrdr.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 0
    assert "already running" in second.stdout
    assert ktrdr.server().pid == first


def test_server_stop_ends_it_and_status_says_so(ktrdr: Installation) -> None:
    ktrdr.run("server", "start")
    assert "running as process" in ktrdr.run("server", "status").stdout
    ktrdr.run("server", "stop")
    assert not is_listening(ktrdr.settings.socket_path)
    assert ktrdr.run("server", "status", expect=8).stdout == "not running\n"


def test_a_follower_is_told_that_the_server_was_stopped_and_starts_no_other(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal("dummy", "run", "--duration", "600", "--iterations", "6000")
    until(terminal, "iteration")
    ktrdr.run("server", "stop", "--force")
    code, _, words = ending(terminal)
    assert code == 1, words
    assert "the worker was stopped with the server" in words
    assert ktrdr.run("server", "status", expect=8).stdout == "not running\n"
    assert list(ktrdr.processes()) == []


def test_who_waits_when_the_server_is_stopped_leaves_it_stopped_until_the_next_command(
    ktrdr: Installation,
) -> None:
    """What was pending is told as unknown, in one line; the mark of the stop is gone when it goes on."""
    with subprocess.Popen(
        [sys.executable, "-m", "ktrdr.server", "--slots", "1", "--ready-fd", "1"],
        env=ktrdr.environment,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        ktrdr.run("dummy", "run", "--duration", "600", "--iterations", "6000", "--detach")
        terminal = ktrdr.terminal("dummy", "run", "--duration", "0.1", "--iterations", "1")
        until(terminal, "iting")
        ktrdr.run("server", "stop", "--force")
        code, _, words = ending(terminal)
    assert code == 7, words
    assert "the server was stopped; `ktrdr operations list` starts it" in words
    assert ktrdr.run("server", "status", expect=8).stdout == "not running\n"
    assert list(ktrdr.processes()) == []
    assert ktrdr.settings.stop_mark.exists()
    assert {each["status"] for each in ktrdr.operations()} <= {"failed", "pending", "running", "completed"}
    assert not ktrdr.settings.stop_mark.exists()


def test_many_starts_at_once_all_tell_of_the_one_server(ktrdr: Installation) -> None:
    done = at_once(ktrdr, 8, "server", "start")
    assert set(done) == {(0, done[0][1])}
    assert done[0][1].startswith("running as process ")


def test_a_server_with_a_port_serves_the_commands_of_its_home_and_whoever_has_its_token(
    ktrdr: Installation,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with subprocess.Popen(
        [sys.executable, "-m", "ktrdr.server", "--port", url.rpartition(":")[2], "--ready-fd", "1"],
        env=ktrdr.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "ready\n"
        ktrdr.run("dummy", "run", "--duration", "0.1", "--iterations", "1")
        refused = ktrdr.run("operations", "list", "--url", url, expect=4)
        assert "KTRDR_TOKEN_FILE" in refused.stderr
        ktrdr.environment["KTRDR_TOKEN_FILE"] = str(ktrdr.settings.kept_token)
        (seen,) = ktrdr.json("operations", "list", "--url", url)["operations"]
        assert seen["status"] == "completed"
        assert f"running as process {process.pid}" in ktrdr.run("server", "status").stdout
        ktrdr.run("server", "stop")
        assert process.wait(timeout=30) == -signal.SIGTERM
        assert not ktrdr.settings.runtime_dir.exists()
        said = process.stderr.read()
        assert str(ktrdr.settings.kept_token) in said
        assert ktrdr.settings.kept_token.read_text().strip() not in said


def test_an_idle_server_ends_by_itself(ktrdr: Installation) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ktrdr.server", "--idle-seconds", "0.4"], env=ktrdr.environment
    )
    assert process.wait(timeout=30) == 0
    assert not ktrdr.settings.runtime_dir.exists()


def test_what_a_killed_server_left_running_is_settled_by_the_next(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal("dummy", "run", "--duration", "600", "--iterations", "6000")
    terminal.expect_exact("iteration")
    (worker,) = ktrdr.workers()
    terminal.close(force=True)
    ktrdr.server().kill()
    worker.wait(timeout=20)
    (operation,) = ktrdr.operations()
    assert operation["status"] in {"failed", "cancelled"}


def test_what_a_killed_command_had_started_is_told_once(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal("dummy", "run", "--duration", "600", "--iterations", "6000")
    until(terminal, "iteration")
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.wait()
    (operation,) = ktrdr.operations()
    words = f"`{operation['operation_id']}`, started by a command that was cut off, is running"
    short = ("dummy", "run", "--duration", "0.1", "--iterations", "1")
    assert words in ktrdr.run(*short).stderr
    assert "cut off" not in ktrdr.run(*short).stderr
    ktrdr.run("operations", "cancel", str(operation["operation_id"]))
