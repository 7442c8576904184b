"""Fixtures every test may use."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.installation import Installation


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
