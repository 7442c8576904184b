"""Models appear whole, are found by name, and are read only if they are what was saved."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ktrdr.errors import InputInvalid, NotFound
from ktrdr.model_catalog.artefact import LARGEST_TEXT
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


def test_the_size_is_that_of_the_model_and_not_of_what_it_predicted(catalog: ModelCatalog) -> None:
    info = catalog.save("trend", "run-1", {**FILES, "predictions.parquet": b"x" * 100_000})
    assert info.size == len(MODEL) + len(b"weights")


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


PERIOD = {"symbols": ["AAPL"], "timeframe": "1d", "first": 10, "last": 20}
ODD_VALUES: list[object] = [
    None,
    True,
    3,
    -1.5,
    10**400,
    "x",
    "\ud800",
    [],
    [[1]],
    [None],
    {},
    {"symbols": 5},
]
ODD_SHAPES = [
    {"created_at": "2026", "test_period": PERIOD, name: value}
    for name in (
        "created_at",
        "symbols",
        "architecture",
        "features",
        "pi",
        "test_period",
        "verdict",
        "schema",
    )
    for value in ODD_VALUES
] + [
    {"created_at": "2026", "test_period": {**PERIOD, name: value}} for name in PERIOD for value in ODD_VALUES
]
ODD_TEXTS = [
    b"",
    b"[]",
    b"null",
    b'"x"',
    b'{"created_at": ',
    b'{"created_at": "2026", "pi": NaN}',
    b'{"created_at": "2026", "pi": 1e999}',
    b"[" * 100_000,
    b'{"created_at": "2026", "pi": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"created_at": "2026", "pi": ' + b"9" * 5000 + b"}",
    b"\xff\xfe",
    b" " * (LARGEST_TEXT + 1),
    *(json.dumps(each).encode() for each in ODD_SHAPES),
]


def sendable(answer: object) -> bool:
    """Tell whether an answer of the server can be this."""
    return bool(json.dumps(answer, allow_nan=False, ensure_ascii=False).encode())


@pytest.mark.parametrize("file", ["model.json", "metrics.json", "strategy.yaml", "manifest.json"])
def test_a_damaged_model_hides_at_most_itself(catalog: ModelCatalog, tmp_path: Path, file: str) -> None:
    for run in ("run-1", "run-2"):
        catalog.save("trend", run, {**FILES, "metrics.json": b"{}", "strategy.yaml": b"{}"})
    for text in ODD_TEXTS:
        (tmp_path / "models" / "trend" / "run-2" / file).write_bytes(text)
        found, damaged = catalog.survey()
        assert found[-1].name == "trend/run-1"
        assert {*(each.name for each in found), *damaged} == {"trend/run-1", "trend/run-2"}
        assert sendable([asdict(each) for each in found])
        assert catalog.scored_before(ScoredPeriod(("AAPL",), "1d", 10, 20)) in {1, 2}
        for each in found:
            assert catalog.show(each.name) == each
            assert sendable(catalog.details(each.name))


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "put",
    [
        make_folder,
        os.mkfifo,
        lambda path: path.symlink_to(path),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to(path.parent.parent),
    ],
    ids=["folder", "pipe", "loop", "endless", "above"],
)
@pytest.mark.parametrize("file", ["model.json", "metrics.json", "manifest.json", "extra"])
def test_what_is_no_file_is_not_read(
    catalog: ModelCatalog, tmp_path: Path, file: str, put: Callable[[Path], None]
) -> None:
    for run in ("run-1", "run-2"):
        catalog.save("trend", run, FILES)
    place = tmp_path / "models" / "trend" / "run-2" / file
    place.unlink(missing_ok=True)
    put(place)
    assert catalog.list()[-1].name == "trend/run-1"
    with pytest.raises((InputInvalid, NotFound)):
        catalog.read("trend/run-2", file)


def test_folders_that_are_no_models_hide_none(catalog: ModelCatalog, tmp_path: Path) -> None:
    catalog.save("trend", "run-1", FILES)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "models" / "trend", elsewhere / "trend")
    (tmp_path / "models" / "outside").symlink_to(elsewhere / "trend")
    (tmp_path / "models" / "file").write_text("")
    for name in ("zz top", "z\n", os.fsdecode(b"z\xff")):
        shutil.copytree(tmp_path / "models" / "trend" / "run-1", tmp_path / "models" / "trend" / name)
        shutil.copytree(tmp_path / "models" / "trend", tmp_path / "models" / name)
    assert [each.name for each in catalog.list()] == ["trend/run-1"]
    assert catalog.show("trend").name == "trend/run-1"
    assert catalog.survey()[1] == ()


def test_where_a_model_cannot_be_saved_is_found_beforehand(tmp_path: Path) -> None:
    catalog = ModelCatalog(tmp_path / "models")
    catalog.check_room("trend")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "models").mkdir()
    link = tmp_path / "models" / "trend"
    for target in (tmp_path, link, tmp_path / "models" / "nowhere", tmp_path / "nowhere"):
        link.symlink_to(target)
        with pytest.raises(InputInvalid, match="leads out of the models folder"):
            catalog.check_room("trend")
        assert catalog.list() == ()
        link.unlink()
    (tmp_path / "models" / "taken").write_text("")
    for place, strategy in ((tmp_path / "models", "taken"), (Path("/proc/self/task"), "trend")):
        with pytest.raises(InputInvalid, match="no model can be saved in"):
            ModelCatalog(place).check_room(strategy)


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
