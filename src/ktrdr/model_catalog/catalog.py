"""Trained models on disk: saved whole, listed, shown, and read only after their hashes agree."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ktrdr.atomic_files import new_directory
from ktrdr.errors import InputInvalid, NotFound

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
MANIFEST = "manifest.json"
THE_MODEL = ("weights.safetensors", "model.json")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model: `strategy/run_id`, when it was made, its size, and its `model.json`.

    The size is the bytes on disk of weights and `model.json`; predictions and reports grow with the bars.
    """

    name: str
    created_at: str
    size: int
    model: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScoredPeriod:
    """The bars a model was judged on: symbols, timeframe, first and last time in microseconds."""

    symbols: tuple[str, ...]
    timeframe: str
    first: int
    last: int

    def shares_bars_with(self, other: Any) -> bool:
        """Tell whether another period, as `model.json` has it, holds a bar of this one."""
        return (
            isinstance(other, dict)
            and other["timeframe"] == self.timeframe
            and not set(self.symbols).isdisjoint(other["symbols"])
            and other["first"] <= self.last
            and self.first <= other["last"]
        )


def make_run_id(now: datetime, *ingredients: str) -> str:
    """Return a UTC stamp and 8 hex digits over what the model was made from."""
    digest = hashlib.sha256("\0".join(ingredients).encode()).hexdigest()
    return f"{now:%Y%m%dT%H%M%S%f}"[:18] + f"-{digest[:8]}"


class ModelCatalog:
    """Models under `root/<strategy>/<run_id>/`; no array library is needed to look at them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def save(self, strategy: str, run_id: str, files: Mapping[str, bytes]) -> ModelInfo:
        """Store a model's files; they appear whole or not at all. `model.json` must be among them."""
        with new_directory(self._folder(strategy, run_id)) as beside:
            for name, data in files.items():
                (beside / _safe(name)).write_bytes(data)
            hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
            (beside / MANIFEST).write_text(json.dumps({"files": hashes}, indent=1))
        return self.show(f"{strategy}/{run_id}")

    def list(self) -> tuple[ModelInfo, ...]:
        """Return every model that can be read, newest first."""
        folders = sorted(
            self._root.glob(f"[!.]*/[!.]*/{MANIFEST}"), key=lambda path: path.parent.name, reverse=True
        )
        return tuple(info for path in folders if (info := self._info_or_none(path.parent)))

    def show(self, name: str) -> ModelInfo:
        """Return `strategy/run_id`, or the newest of `strategy`; raises NotFound, InputInvalid if damaged."""
        info = self._info_or_none(self._find(name))
        if info is None:
            raise InputInvalid(f"model `{name}` is damaged", hint="train it again")
        return info

    def read(self, name: str, file: str) -> bytes:
        """Return one file of a model; raises InputInvalid if it is not what was saved."""
        folder = self._find(name)
        data = (folder / _safe(file)).read_bytes()
        if hashlib.sha256(data).hexdigest() != _hashes(folder).get(file):
            raise InputInvalid(f"`{file}` of model `{name}` is not what was saved", hint="train it again")
        return data

    def scored_before(self, period: "ScoredPeriod") -> int:
        """Return how many models were scored on bars of a test period, wholly or in part."""
        return sum(period.shares_bars_with(each.model.get("test_period")) for each in self.list())

    def _find(self, name: str) -> Path:
        strategy, _, run_id = name.partition("/")
        runs = (
            [run_id] if run_id else sorted(path.name for path in (self._root / _safe(strategy)).glob("[!.]*"))
        )
        folder = self._folder(strategy, runs[-1]) if runs else None
        if folder is None or not (folder / MANIFEST).exists():
            raise NotFound(f"there is no model `{name}`", hint="see `ktrdr models list`")
        return folder

    def _folder(self, strategy: str, run_id: str) -> Path:
        folder = self._root / _safe(strategy) / _safe(run_id)
        if not folder.resolve().is_relative_to(self._root.resolve()):
            raise InputInvalid(f"`{strategy}/{run_id}` is not inside the models folder")
        return folder

    def _info_or_none(self, folder: Path) -> ModelInfo | None:
        try:
            return self._info(folder)
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _info(self, folder: Path) -> ModelInfo:
        model = json.loads((folder / "model.json").read_bytes())
        size = sum((folder / each).stat().st_size for each in THE_MODEL)
        return ModelInfo(f"{folder.parent.name}/{folder.name}", model["created_at"], size, model)


def _hashes(folder: Path) -> dict[str, str]:
    hashes: dict[str, str] = json.loads((folder / MANIFEST).read_bytes())["files"]
    return hashes


def _safe(name: str) -> str:
    if not NAME.match(name):
        raise InputInvalid(f"`{name[:64]}` is not a name", hint="names are letters, digits, `.`, `_` and `-`")
    return name
