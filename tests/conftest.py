"""Fixtures every test may use."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

from support.installation import Installation

# Shells ignore Ctrl+C for what runs in the background, nohup ignores hang-ups: tests send both all the same.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

COMPLETELY_COVERED = (
    "*/ktrdr/operations/*",
    "*/ktrdr/kinds/*",
    "*/ktrdr/cli/operation_executor.py",
    "*/ktrdr/cli/attendance.py",
    "*/ktrdr/cli/operation_report.py",
    "*/ktrdr/cli/follow.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests with terminals first: those fork, which is not safe once JAX has threads in this process."""
    items.sort(key=lambda item: "process" not in item.path.parts and "terminal" not in item.name)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run that measures coverage for the threshold, if a line of the generic core was never run."""
    is_part = "PYTEST_XDIST_WORKER" in os.environ  # the whole is judged where all parts are together
    is_whole = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    if is_part or not is_whole or not getattr(session.config.option, "cov_fail_under", None):
        return
    measured = coverage.Coverage()
    measured.load()
    listing = io.StringIO()
    if measured.report(include=COMPLETELY_COVERED, file=listing) < 100:
        print(f"\nthe generic core must be covered completely:\n{listing.getvalue()}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio alone."""
    return "asyncio"


@pytest.fixture
def ktrdr(tmp_path: Path) -> Iterator[Installation]:
    """Return ktrdr with a home of its own; whatever it started is ended afterwards."""
    installation = Installation(tmp_path / "home", sys.executable)
    yield installation
    installation.close()
