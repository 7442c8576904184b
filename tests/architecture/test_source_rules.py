"""Conventions as tests: who may touch signals, read status, catch everything, and how long a file may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "ktrdr"
FILES = sorted(SOURCE.rglob("*.py"))
SIGNAL_HANDLING = {"signal", "getsignal", "add_signal_handler", "remove_signal_handler", "sigaction"}


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def handled(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            yield from (ast.unparse(each) if each else "" for each in caught)


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def test_only_interrupts_handles_signals() -> None:
    found = {name_of(path) for path in FILES if SIGNAL_HANDLING & set(calls(path))}
    assert found == {"cli/interrupts.py"}


def test_only_the_runner_catches_every_exception() -> None:
    broad = {"", "Exception", "BaseException"}
    found = {name_of(path) for path in FILES if broad & set(handled(path))}
    assert found == {"worker/runner.py"}


def test_only_follow_reads_the_status_of_an_operation_from_the_server() -> None:
    found = {
        name_of(path)
        for path in FILES
        if name_of(path).startswith("cli/") and "get_operation" in set(calls(path))
    }
    assert found == {"cli/follow.py"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_module_is_longer_than_250_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


def test_nothing_is_unpickled_evaluated_or_given_to_a_shell() -> None:
    banned = {"pickle", "joblib", "dill", "marshal", "shelve"}
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                assert not banned & {alias.name.split(".")[0] for alias in node.names}, path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in banned, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "hasattr"}, path
            if isinstance(node, ast.keyword):
                assert node.arg != "allow_pickle", path
                assert not (node.arg == "shell" and isinstance(node.value, ast.Constant)), path


def test_code_imports_only_at_the_top_of_a_module() -> None:
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inside = [each for each in ast.walk(node) if isinstance(each, ast.Import | ast.ImportFrom)]
                assert not inside, f"{name_of(path)}:{node.name}"
