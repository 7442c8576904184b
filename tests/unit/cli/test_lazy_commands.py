"""`ktrdr --help` pays for nothing it does not show."""

import subprocess
import sys

import pytest

from ktrdr.cli.app import COMMAND_GROUPS
from ktrdr.cli.operation_adapters import adapter_of_kind
from ktrdr.cli.operation_adapters.base import DescribedKindAdapter, OperationAdapter

HEAVY = ("httpx2", "pydantic", "rich", "asyncio", "numpy", "jax", "polars", "fastapi", "platformdirs")

REPORT = f"""
import os, sys
os._exit = sys.exit
sys.argv = ["ktrdr", *sys.argv[1:]]
from ktrdr.__main__ import main
try:
    main()
finally:
    print("loaded", *(name for name in {HEAVY!r} if name in sys.modules))
"""


def loaded_by(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_and_version_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments) == []


def test_a_group_of_commands_loads_no_array_library() -> None:
    assert not {"numpy", "jax", "polars", "fastapi"} & set(loaded_by("dummy", "run", "--help"))


def test_the_help_names_every_group() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ktrdr", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    for name, group in COMMAND_GROUPS.items():
        assert name in done.stdout
        assert group.help in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_the_groups(shell: str) -> None:
    environment = {
        "_KTRDR_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "ktrdr op",
        "COMP_CWORD": "1",
    }
    environment |= {"COMP_WORDS": "ktrdr op", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        [sys.executable, "-m", "ktrdr"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "operations" in done.stdout


def test_adapters_are_imported_by_name() -> None:
    adapter = adapter_of_kind("dummy")
    assert isinstance(adapter, OperationAdapter)
    assert adapter.name == "dummy"


def test_a_kind_without_words_is_shown_field_by_field() -> None:
    adapter = adapter_of_kind("from the future")
    assert isinstance(adapter, DescribedKindAdapter)
    assert adapter.get_start_payload() == {}
    assert adapter.parse_start_response({"data": {"operation_id": "a"}}) == "a"
    assert adapter.get_start_endpoint() == ""


def test_an_unknown_adapter_is_an_attribute_error() -> None:
    from_package = sys.modules["ktrdr.cli.operation_adapters"]
    with pytest.raises(AttributeError):
        getattr(from_package, "NoSuchAdapter")  # noqa: B009  # what a wrong import does
    assert from_package.DummyOperationAdapter.__name__ == "DummyOperationAdapter"
