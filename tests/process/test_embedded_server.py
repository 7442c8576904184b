"""The embedded server: started by whoever comes first, private, and gone when it is not needed."""

import concurrent.futures
import stat
import subprocess
import sys

from ktrdr.cli.local_server import is_listening
from support.installation import Installation


def test_twenty_commands_at_once_start_one_server(ktrdr: Installation) -> None:
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: ktrdr.run("operations", "list", "--output", "json"), range(20)))
    assert [each.exit_code for each in done] == [0] * 20
    servers = [each for each in ktrdr.processes() if "ktrdr.server" in each.cmdline()]
    assert len(servers) == 1


def test_sec_01_the_socket_is_private(ktrdr: Installation) -> None:
    ktrdr.run("server", "start")
    path = ktrdr.settings.socket_path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


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


def test_an_idle_server_ends_by_itself(ktrdr: Installation) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ktrdr.server", "--idle-seconds", "0.4"], env=ktrdr.environment
    )
    assert process.wait(timeout=30) == 0


def test_what_a_killed_server_left_running_is_settled_by_the_next(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal("dummy", "run", "--duration", "600", "--iterations", "6000")
    terminal.expect_exact("iteration")
    (worker,) = ktrdr.workers()
    terminal.close(force=True)
    ktrdr.server().kill()
    worker.wait(timeout=20)
    (operation,) = ktrdr.operations()
    assert operation["status"] in {"failed", "cancelled"}
