"""A kind has every file its name promises, and stands in every table."""

from pathlib import Path

import pytest

from ktrdr.cli.operation_adapters import ADAPTERS, adapter_of_kind
from ktrdr.kinds.table import KINDS, load_kinds
from ktrdr.lazy import resolve
from ktrdr.worker.handlers.table import HANDLERS, load_handler

ROOT = Path(__file__).parents[2]
FILES = (
    "src/ktrdr/kinds/{0}.py",
    "src/ktrdr/worker/handlers/{0}.py",
    "src/ktrdr/cli/operation_adapters/{0}.py",
    "tests/functional/test_{0}.py",
)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_the_files_its_name_promises(kind: str, file: str) -> None:
    assert (ROOT / file.format(kind)).is_file()


def test_every_table_has_every_kind() -> None:
    assert set(KINDS) == set(HANDLERS) == set(ADAPTERS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_the_same_in_every_table(kind: str) -> None:
    adapter = adapter_of_kind(kind)
    assert adapter.name == kind == load_kinds()[kind].name
    assert adapter.get_start_endpoint() == load_kinds()[kind].start_path
    assert resolve(ADAPTERS[kind]).__module__.endswith(f".{kind}")
    assert load_handler(kind).__module__.endswith(f".{kind}")


def test_no_two_kinds_start_at_one_path() -> None:
    assert len({kind.start_path for kind in load_kinds().values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_is_thin(kind: str) -> None:
    text = (ROOT / f"src/ktrdr/cli/operation_adapters/{kind}.py").read_text()
    assert len(text.splitlines()) <= 100
