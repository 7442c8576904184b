"""What a user sees is the same in one process, which is quick and measured, and in real ones."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.installation import Installation
from support.one_process import OneProcess, one_process


@pytest.fixture(params=["one process", "real processes"])
def ktrdr(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation | OneProcess]:
    """Return ktrdr with a home of its own; whatever it started is ended afterwards."""
    if request.param == "one process":
        with one_process(tmp_path / "k") as shared:
            yield shared
        return
    installation = Installation(tmp_path / "home", sys.executable)
    yield installation
    installation.close()
