"""Everything that a training told of its model, as its folder has it; a part that is damaged is missing."""

import csv
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ktrdr.errors import InputInvalid
from ktrdr.model_catalog.artefact import as_json, as_object, read_bytes
from ktrdr.model_catalog.expected_parts import evaluation, training

TRAINING_FILE = "training.json"
CURVE = ("epoch", "train_loss", "val_loss")


def read_details(folder: Path) -> dict[str, Any]:
    """Return folder, metrics, training, environment, ledger, history and strategy, None where not known."""
    return {
        "folder": os.fsencode(folder).decode(errors="backslashreplace"),
        **{part: _part(folder / file, read) for part, (file, read) in PARTS.items()},
    }


def _part(file: Path, read: Callable[[str, bytes], object]) -> object:
    try:
        return read(file.name, read_bytes(file))
    except (InputInvalid, ValueError, LookupError, csv.Error):
        return None


def _curve(_: str, data: bytes) -> list[dict[str, float]]:
    """Return epoch and losses; raises ValueError or LookupError where a row has none."""
    rows = csv.DictReader(data.decode().splitlines())
    return [{name: _loss(row[name]) for name in CURVE} for row in rows]


def _loss(text: str | None) -> float:
    value = float(text or "nan")
    if not abs(value) < float("inf"):
        raise ValueError(text)
    return value


def _text(_: str, data: bytes) -> str:
    return data.decode()


PARTS: Mapping[str, tuple[str, Callable[[str, bytes], object]]] = {
    "metrics": ("metrics.json", evaluation),
    "training": (TRAINING_FILE, training),
    "environment": ("environment.json", as_object),
    "ledger": ("ledger.json", as_json),
    "history": ("history.csv", _curve),
    "strategy": ("strategy.yaml", _text),
}
