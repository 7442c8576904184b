"""The guide's code blocks, applied to a copy of the source, are a kind that really runs."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "add-an-operation.md"
BLOCK = re.compile(r'^```python title="([^"]+)"(?: below="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
UNTOUCHED = ("operations", "server", "worker/runner.py", "worker/channel.py", "cli/session.py")
EXECUTOR = (
    "operation_executor",
    "attendance",
    "operation_report",
    "follow",
    "interrupts",
    "retries",
    "api_client",
)


@dataclass(frozen=True)
class Block:
    """A new file, or a text to put below a line of an old one."""

    path: str
    below: str | None
    text: str

    def apply(self, root: Path) -> None:
        file = root / self.path
        if self.below is None:
            assert not file.exists()
            file.write_text(self.text)
            return
        before, line, after = file.read_text().partition(f"{self.below}\n")
        assert line
        file.write_text(before + line + self.text + after)


def blocks() -> list[Block]:
    return [Block(path, below or None, text) for path, below, text in BLOCK.findall(GUIDE.read_text())]


def hashes(root: Path) -> dict[str, str]:
    files = sorted((root / "src").rglob("*.py"))
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("copy")
    for name in ("src", "tests", "docs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copy(ROOT / ".importlinter", root)
    for block in blocks():
        block.apply(root)
    return root


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_the_guide_makes_five_files_and_adds_four_lines() -> None:
    new = [block for block in blocks() if block.below is None]
    lines = [block.text.count("\n") for block in blocks() if block.below]
    assert (len(new), lines) == (5, [1, 1, 1, 1])


def test_the_new_kind_runs_through_a_real_server_and_worker(copy: Path) -> None:
    done = run(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/functional/test_pi.py")
    assert done.returncode == 0, done.stdout
    assert ".." in done.stdout


def test_the_new_kind_is_complete_and_clean(copy: Path) -> None:
    complete = run(
        copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture/test_kinds_are_complete.py"
    )
    assert complete.returncode == 0, complete.stdout
    clean = run(copy, "ruff", "check", "--no-cache", *(block.path for block in blocks()))
    assert clean.returncode == 0, clean.stdout


def test_nothing_generic_was_opened(copy: Path) -> None:
    before, after = hashes(ROOT), hashes(copy)
    changed = {path for path in after if before.get(path) != after[path]}
    assert changed == {block.path for block in blocks() if block.path.startswith("src/")}
    generic = [f"src/ktrdr/{name}" for name in UNTOUCHED] + [f"src/ktrdr/cli/{name}.py" for name in EXECUTOR]
    assert not [path for path in changed if path.startswith(tuple(generic))]
