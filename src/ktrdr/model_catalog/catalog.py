"""Trained models on disk: saved whole, listed, shown, and read only after their hashes agree.

A model that is damaged, in whatever way, hides only itself.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ktrdr.atomic_files import new_directory
from ktrdr.errors import InputInvalid, NotFound
from ktrdr.model_catalog.artefact import read_bytes, read_json
from ktrdr.model_catalog.details import read_details
from ktrdr.model_catalog.summary import ModelSummary, summarise

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MANIFEST = "manifest.json"
THE_MODEL = ("weights.safetensors", "model.json")
LARGEST_FILE = 1024**3


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model: `strategy/run_id`, when it was made, its size, `model.json`, and what tells it apart.

    The size is the bytes on disk of weights and `model.json`; predictions and reports grow with the bars.
    """

    name: str
    created_at: str
    size: int
    model: Mapping[str, Any]
    summary: ModelSummary


@dataclass(frozen=True, slots=True)
class ScoredPeriod:
    """The bars a model was judged on: symbols, timeframe, first and last time in microseconds."""

    symbols: tuple[str, ...]
    timeframe: str
    first: int
    last: int

    @classmethod
    def from_json(cls, shape: object) -> "ScoredPeriod | None":
        """Read what `model.json` has, or None if that is no period."""
        if not isinstance(shape, dict):
            return None
        symbols, timeframe, first, last = (shape.get(name) for name in cls.__dataclass_fields__)
        if not isinstance(symbols, list) or not all(isinstance(each, str) for each in symbols):
            return None
        if not (isinstance(timeframe, str) and isinstance(first, int) and isinstance(last, int)):
            return None
        return cls(tuple(symbols), timeframe, first, last)

    def shares_bars_with(self, other: "ScoredPeriod") -> bool:
        """Tell whether another period holds a bar of this one."""
        return (
            other.timeframe == self.timeframe
            and not set(self.symbols).isdisjoint(other.symbols)
            and other.first <= self.last
            and self.first <= other.last
        )


def make_run_id(now: datetime, *ingredients: str) -> str:
    """Return a UTC stamp and 8 hex digits over what the model was made from."""
    digest = hashlib.sha256("\0".join(ingredients).encode()).hexdigest()
    return f"{now:%Y%m%dT%H%M%S%f}"[:18] + f"-{digest[:8]}"


class ModelCatalog:
    """Models under `root/<strategy>/<run_id>/`; no array library is needed to look at them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def check_room(self, strategy: str) -> None:
        """Raise InputInvalid where a model of a strategy could not be saved, before anything is trained."""
        folder = self._root / _safe(strategy)
        if not self._is_within(folder) or (folder.is_symlink() and not folder.is_dir()):
            raise InputInvalid(f"`{folder}` leads out of the models folder", hint="remove that link")
        beside = next(each for each in (folder, *folder.parents) if each.exists())
        try:
            with tempfile.TemporaryDirectory(dir=beside, prefix=".room-"):
                return
        except OSError as error:
            raise InputInvalid(
                f"no model can be saved in `{folder}`: {error.strerror}", hint="mend it, or train elsewhere"
            ) from None

    def save(self, strategy: str, run_id: str, files: Mapping[str, bytes]) -> ModelInfo:
        """Store a model's files; they appear whole or not at all. `model.json` must be among them."""
        size = sum(map(len, files.values()))
        with new_directory(self._folder(strategy, run_id), size) as beside:
            for name, data in files.items():
                (beside / _safe(name)).write_bytes(data)
            hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
            (beside / MANIFEST).write_text(json.dumps({"files": hashes}, indent=1))
        return self.show(f"{strategy}/{run_id}")

    def list(self) -> tuple[ModelInfo, ...]:
        """Return every model that can be read, newest first."""
        return self.survey()[0]

    def survey(self) -> tuple[tuple[ModelInfo, ...], tuple[str, ...]]:
        """Return every model that can be read, newest first, and the names of those that cannot."""
        found = {_name(each): self._info_or_none(each) for each in self._folders()}
        return tuple(each for each in found.values() if each), tuple(
            each for each in found if not found[each]
        )

    def show(self, name: str) -> ModelInfo:
        """Return `strategy/run_id`, or the newest of `strategy`; raises NotFound, InputInvalid if damaged."""
        info = self._info_or_none(self.folder(name))
        if info is None:
            raise InputInvalid(f"model `{name}` is damaged", hint="train it again")
        return info

    def details(self, name: str) -> dict[str, Any]:
        """Return everything that the training told of a model; raises as `show` does."""
        info = self.show(name)
        return {**asdict(info), **read_details(self.folder(name))}

    def read(self, name: str, file: str, most: int = LARGEST_FILE) -> bytes:
        """Return a file of a model; raises InputInvalid if it is not what was saved or over `most` bytes."""
        folder = self.folder(name)
        data = read_bytes(folder / _safe(file), most)
        if hashlib.sha256(data).hexdigest() != _hashes(folder).get(file):
            raise InputInvalid(f"`{file}` of model `{name}` is not what was saved", hint="train it again")
        return data

    def scored_before(self, period: ScoredPeriod) -> int:
        """Return how many models were scored on bars of a test period, wholly or in part."""
        periods = (ScoredPeriod.from_json(each.model.get("test_period")) for each in self.list())
        return sum(period.shares_bars_with(each) for each in periods if each)

    def folder(self, name: str) -> Path:
        """Return where a model lies, the newest of a strategy; raises NotFound."""
        strategy, _, run_id = name.partition("/")
        folders = self._folders(_safe(strategy), *([_safe(run_id)] if run_id else []))
        found = next(iter(folders), None)
        if found is None:
            raise NotFound(f"there is no model `{name}`", hint="see `ktrdr models list`")
        return found

    def _folders(self, strategy: str = "[!.]*", run_id: str = "[!.]*") -> tuple[Path, ...]:
        """Return the folders that hold a model, newest first; none that leads elsewhere."""
        found = (file.parent for file in self._root.glob(f"{strategy}/{run_id}/{MANIFEST}"))
        return tuple(sorted(filter(self._is_inside, found), key=lambda each: each.name, reverse=True))

    def _is_inside(self, folder: Path) -> bool:
        has_name = NAME.fullmatch(folder.name) and NAME.fullmatch(folder.parent.name)
        return bool(has_name) and self._is_within(folder)

    def _is_within(self, folder: Path) -> bool:
        try:
            return folder.resolve().is_relative_to(self._root.resolve())
        except RuntimeError:  # a link that leads to itself
            return False

    def _folder(self, strategy: str, run_id: str) -> Path:
        folder = self._root / _safe(strategy) / _safe(run_id)
        if not self._is_within(folder):
            raise InputInvalid(f"`{strategy}/{run_id}` is not inside the models folder")
        return folder

    def _info_or_none(self, folder: Path) -> ModelInfo | None:
        try:
            return _info(folder)
        except (OSError, InputInvalid):
            return None


def _info(folder: Path) -> ModelInfo:
    model = read_json(folder / "model.json")
    made = model.get("created_at")
    if not isinstance(made, str):
        raise InputInvalid("`model.json` is damaged: it does not say when the model was made")
    size = sum((folder / each).lstat().st_size for each in THE_MODEL)
    return ModelInfo(_name(folder), made, size, model, summarise(folder, model))


def _name(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def _hashes(folder: Path) -> Mapping[str, Any]:
    hashes = read_json(folder / MANIFEST).get("files")
    return hashes if isinstance(hashes, dict) else {}


def _safe(name: str) -> str:
    if not NAME.fullmatch(name):
        raise InputInvalid(f"`{name[:64]}` is not a name", hint="names are letters, digits, `.`, `_` and `-`")
    return name
