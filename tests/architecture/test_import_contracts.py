"""Each import contract holds, and each turns red when somebody breaks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

VIOLATIONS = {
    "The rooms, from the doors down to the vocabulary": (
        "strategies/strategy.py",
        "import ktrdr.kinds.table",
    ),
    "The generic core knows no domain, no web framework, no terminal": (
        "operations/store.py",
        "import httpx2",
    ),
    "The executor and all it imports know no kind": ("cli/follow.py", "import ktrdr.kinds.dummy"),
    "The command line computes nothing": ("cli/session.py", "import ktrdr.training.config"),
    "The server never computes": ("server/app.py", "import ktrdr.features.labels"),
    "The domain could be used from a notebook": ("training/config.py", "import ktrdr.operations.store"),
    "Handlers are reached only from the runner's table": (
        "kinds/dummy.py",
        "import ktrdr.worker.handlers.dummy",
    ),
    "Settings are read only at the doors": ("operations/service.py", "import ktrdr.settings"),
}


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as m; m()",
        "--no-cache",
    ]
    return subprocess.run(
        command, cwd=tree, env={"PYTHONPATH": str(tree / "src")}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src")
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_every_contract_has_a_planted_violation() -> None:
    text = (ROOT / ".importlinter").read_text()
    names = {line.partition("=")[2].strip() for line in text.splitlines() if line.startswith("name =")}
    assert names == set(VIOLATIONS)


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_planted_violation_turns_its_contract_red(tree: Path, contract: str) -> None:
    file, line = VIOLATIONS[contract]
    path = tree / "src" / "ktrdr" / file
    path.write_text(path.read_text() + f"\n{line}\n")
    done = lint(tree)
    assert done.returncode != 0
    assert f"{contract} BROKEN" in done.stdout
