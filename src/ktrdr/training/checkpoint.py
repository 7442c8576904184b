"""The loop's state on disk: safetensors and JSON, verified when read, never unpickled."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors.numpy import save

from ktrdr.atomic_files import new_directory
from ktrdr.errors import InputInvalid
from ktrdr.model_catalog.artefact import read_bytes, read_json
from ktrdr.training.tensors import Expected, Tensors, largest_file, read_tensors

KEPT = 2
TENSORS, MANIFEST = "state.safetensors", "manifest.json"


class CheckpointFolder:
    """Checkpoints of one run, of which the newest two are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, state: Any, epoch: int) -> str:
        """Write a checkpoint of the end of an epoch durably, and only then delete older ones."""
        name = f"epoch-{epoch:06d}"
        if (self._folder / name).exists():
            return name
        tensors = save({key: np.asarray(value) for key, value in _flat(state).items()})
        manifest = {"epoch": epoch, "sha256": hashlib.sha256(tensors).hexdigest(), "bytes": len(tensors)}
        with new_directory(self._folder / name, len(tensors)) as beside:
            (beside / TENSORS).write_bytes(tensors)
            (beside / MANIFEST).write_text(json.dumps(manifest))
        for old in self.names()[:-KEPT]:
            shutil.rmtree(self._folder / old)
        return name

    def names(self) -> list[str]:
        """Return the checkpoints there are, oldest first."""
        return sorted(path.name for path in self._folder.glob("epoch-*"))

    def restore(self, like: Any) -> Any:
        """Return the newest checkpoint that is whole and of the same shapes, or `like` itself."""
        expected = {key: (leaf.shape, np.dtype(leaf.dtype)) for key, leaf in _flat(like).items()}
        for name in reversed(self.names()):
            tensors = _verified(self._folder / name, expected)
            if tensors is not None:
                leaves = [jax.numpy.asarray(tensors[key]) for key in expected]
                return jax.tree.unflatten(jax.tree.structure(like), leaves)
        return like


def _flat(state: Any) -> dict[str, Any]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


def _verified(folder: Path, expected: Expected) -> Tensors | None:
    try:
        manifest = read_json(folder / MANIFEST)
        data = read_bytes(folder / TENSORS, largest_file(expected))
        if hashlib.sha256(data).hexdigest() != manifest.get("sha256"):
            return None
        return read_tensors(data, expected, TENSORS)
    except InputInvalid:
        return None
