"""One server for one state folder, from whatever surroundings a command comes; running work is not harmed."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ktrdr.client.server_identity import read_identity
from support.installation import ROOT, Installation, ending, until

FORMER = ROOT / "tests" / "support" / "former_server.py"


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder whose path is short enough for sockets below it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def login(place: Path) -> Iterator[Installation]:
    """Return ktrdr in a login shell: the platform's folders, one of them only for the session."""
    shell = Installation(place / "home", sys.executable)
    del shell.environment["KTRDR_HOME"]
    for name in ("run", "other"):
        (place / name).mkdir(mode=0o700)
    shell.environment |= {"XDG_RUNTIME_DIR": str(place / "run"), "TMPDIR": str(place)}
    yield shell
    shell.close()


def elsewhere(login: Installation, **changes: str | None) -> Installation:
    """Return ktrdr of the same user in surroundings that differ; None takes a variable away."""
    there = Installation(login.home, sys.executable)
    given = {**login.environment, **changes}
    there.environment = {name: value for name, value in given.items() if value is not None}
    return there


def test_running_work_survives_commands_from_any_surroundings(login: Installation, place: Path) -> None:
    """From cron, after a logout, with another runtime folder: the same server, and its worker lives on."""
    login.run("dummy", "run", "--duration", "600", "--iterations", "6000", "--detach")
    server = login.server()
    surroundings = {
        "cron": elsewhere(login, XDG_RUNTIME_DIR=None),
        "another session": elsewhere(login, XDG_RUNTIME_DIR=str(place / "other")),
        "another temporary folder": elsewhere(login, XDG_RUNTIME_DIR=None, TMPDIR=str(place / "other")),
        "nothing but the state": elsewhere(
            login, HOME=str(login.home), XDG_RUNTIME_DIR="/nowhere", TMPDIR="/nowhere"
        ),
    }
    for name, there in surroundings.items():
        (operation,) = there.operations()
        assert operation["status"] == "running", name
        assert there.server() == server, name
    shutil.rmtree(place / "run")
    (operation,) = login.operations()
    assert operation["status"] == "running"
    assert login.server() == server
    other_data = elsewhere(login, XDG_DATA_HOME=str(place / "other"))
    refused = other_data.run("operations", "list", expect=6).stderr
    for folder in (login.settings.data_dir, other_data.settings.data_dir):
        assert f"`{folder}`" in refused
    assert [each["status"] for each in login.operations()] == ["running"]
    other_home = elsewhere(login, HOME=str(place / "other"))
    assert other_home.operations() == []
    assert other_home.server() != server
    other_home.close()
    login.run("operations", "cancel", "--all")


@contextmanager
def former_server(login: Installation, *, active: int) -> Iterator[psutil.Popen]:
    """Run what a server of a former build is to others: its lock, its note, its socket, its answers."""
    with psutil.Popen(
        [sys.executable, str(FORMER), str(active)],
        env=login.environment,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    ) as process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.terminate()


def test_an_idle_server_of_a_former_build_is_replaced(login: Installation) -> None:
    with former_server(login, active=0) as former:
        assert login.operations() == []
        assert not former.is_running() or former.status() == psutil.STATUS_ZOMBIE
        assert login.server().pid != former.pid


def test_a_busy_server_of_a_former_build_is_used_and_no_other_starts(login: Installation) -> None:
    with former_server(login, active=1) as former:
        told = login.run("operations", "list")
        assert "of another build" in told.stderr
        assert "former-operation" in told.stdout
        by_hand = subprocess.run(
            [sys.executable, "-m", "ktrdr.server"],
            env=login.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (by_hand.returncode, by_hand.stdout) == (0, "a server of a former build is running\n")
        assert not (login.settings.state_dir / "operations.sqlite").exists()
        identity = read_identity(login.settings)
        assert identity
        assert identity.pid == former.pid


def test_a_busy_server_of_a_former_build_that_cannot_be_understood_is_left_alone(login: Installation) -> None:
    login.environment["FORMER_API_VERSION"] = "0"
    with former_server(login, active=1) as former:
        refused = login.run("operations", "list", expect=6).stderr
        assert f"process {former.pid}" in refused
        assert former.is_running()


def test_a_server_of_a_former_build_is_waited_for_while_it_ends(login: Installation) -> None:
    """It holds its lock and listens no more; when it is gone, the next one starts."""
    login.environment["FORMER_IS_ENDING"] = "yes"
    with former_server(login, active=0) as former:
        command = login.terminal("operations", "list")
        until(command, f"waiting for the server (process {former.pid})")
        former.terminate()
        until(command, "There are no operations.")
        assert ending(command)[0] == 0


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_sec_31_everything_in_the_state_folder_is_its_owners_alone(ktrdr: Installation, umask: int) -> None:
    """Whatever the umask of whoever was first; and a worker can gain no right that its user does not have."""
    before = os.umask(umask)
    try:
        terminal = ktrdr.terminal("dummy", "run", "--duration", "600", "--iterations", "6000")
    finally:
        os.umask(before)
    until(terminal, "iteration")
    (worker,) = ktrdr.workers()
    assert "NoNewPrivs:\t1" in Path(f"/proc/{worker.pid}/status").read_text()
    terminal.send("\x03")
    ending(terminal)
    state = ktrdr.settings.state_dir
    modes = {each: stat.S_IMODE(each.lstat().st_mode) for each in (state, *state.rglob("*"))}
    assert len(modes) > 8
    assert {each: oct(mode) for each, mode in modes.items() if mode not in (0o600, 0o700)} == {}
