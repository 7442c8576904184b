"""Models appear whole, are found by name, and are read only if they are what was saved."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ktrdr.errors import InputInvalid, NotFound
from ktrdr.model_catalog.catalog import ModelCatalog, make_run_id

MODEL = json.dumps({"created_at": "2026-01-01T00:00:00+00:00", "test_period": "AAPL 1 2"}).encode()
FILES = {"model.json": MODEL, "weights.safetensors": b"weights"}


@pytest.fixture
def catalog(tmp_path: Path) -> ModelCatalog:
    return ModelCatalog(tmp_path / "models")


def test_trap_23_a_model_is_read_as_it_was_saved(catalog: ModelCatalog) -> None:
    info = catalog.save("trend", "run-1", FILES)
    assert catalog.read(info.name, "weights.safetensors") == b"weights"


def test_the_newest_run_is_shown_by_the_strategys_name(catalog: ModelCatalog) -> None:
    for run in ("20260101T000000-a", "20260301T000000-b", "20260201T000000-c"):
        catalog.save("trend", run, FILES)
    assert catalog.show("trend").name == "trend/20260301T000000-b"
    assert [each.name[-1] for each in catalog.list()] == ["b", "c", "a"]


def test_models_scored_on_a_period_are_counted(catalog: ModelCatalog) -> None:
    catalog.save("trend", "run-1", FILES)
    assert (catalog.scored_before("AAPL 1 2"), catalog.scored_before("IBM 1 2")) == (1, 0)


def test_a_changed_file_is_refused(catalog: ModelCatalog, tmp_path: Path) -> None:
    catalog.save("trend", "run-1", FILES)
    (tmp_path / "models" / "trend" / "run-1" / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(InputInvalid, match="not what was saved"):
        catalog.read("trend/run-1", "weights.safetensors")


@pytest.mark.parametrize("name", ["../etc", "a/../../b", "", ".hidden", "x" * 65, "nul\0"])
def test_sec_15_a_name_is_never_a_path(catalog: ModelCatalog, name: str) -> None:
    with pytest.raises((InputInvalid, NotFound)):
        catalog.show(name)


def test_a_run_id_depends_on_everything_the_model_was_made_from() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    assert make_run_id(now, "a", "b").startswith("20260102T030405678-")
    assert make_run_id(now, "a", "b") != make_run_id(now, "ab", "")
