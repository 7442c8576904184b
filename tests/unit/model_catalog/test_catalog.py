"""Models appear whole, are found by name, and are read only if they are what was saved."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ktrdr.errors import InputInvalid, NotFound
from ktrdr.model_catalog.catalog import ModelCatalog, ScoredPeriod, make_run_id

MODEL = json.dumps(
    {
        "created_at": "2026-01-01T00:00:00+00:00",
        "test_period": {"symbols": ["AAPL", "IBM"], "timeframe": "1d", "first": 10, "last": 20},
    }
).encode()
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
    shared = [("AAPL", "1d", 10, 20), ("IBM", "1d", 20, 30), ("AAPL", "1d", 5, 10), ("AAPL", "1d", 12, 13)]
    apart = [("MSFT", "1d", 10, 20), ("AAPL", "1h", 10, 20), ("AAPL", "1d", 21, 30), ("AAPL", "1d", 1, 9)]
    counts = [catalog.scored_before(ScoredPeriod((each[0],), *each[1:])) for each in (*shared, *apart)]
    assert counts == [1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"created_at": '])
def test_a_damaged_model_is_one_sentence_and_hides_no_other(
    catalog: ModelCatalog, tmp_path: Path, text: bytes
) -> None:
    for run in ("run-1", "run-2"):
        catalog.save("trend", run, FILES)
    (tmp_path / "models" / "trend" / "run-2" / "model.json").write_bytes(text)
    assert [each.name for each in catalog.list()] == ["trend/run-1"]
    with pytest.raises(InputInvalid, match="model `trend` is damaged"):
        catalog.show("trend")


def test_half_written_models_are_not_listed(catalog: ModelCatalog, tmp_path: Path) -> None:
    catalog.save("trend", "run-1", FILES)
    (tmp_path / "models" / "trend" / "run-1").rename(tmp_path / "models" / "trend" / ".run-1")
    assert catalog.list() == ()


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
