"""The loop's state on disk: safetensors and JSON, verified when read, never unpickled."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors.numpy import load, save

from ktrdr.atomic_files import new_directory

KEPT = 2
TENSORS, MANIFEST = "state.safetensors", "manifest.json"


class CheckpointFolder:
    """Checkpoints of one run, newest two kept; `origin` is another folder to start from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, state: Any, epoch: int) -> str:
        """Write a checkpoint of the end of an epoch durably, and only then delete older ones."""
        name = f"epoch-{epoch:06d}"
        if (self._folder / name).exists():
            return name
        tensors = save({key: np.asarray(value) for key, value in _flat(state).items()})
        manifest = {"epoch": epoch, "sha256": hashlib.sha256(tensors).hexdigest(), "bytes": len(tensors)}
        with new_directory(self._folder / name) as beside:
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
        for name in reversed(self.names()):
            tensors = _verified(self._folder / name)
            if tensors is not None and _fits(tensors, like):
                leaves = [jax.numpy.asarray(tensors[key]) for key in _flat(like)]
                return jax.tree.unflatten(jax.tree.structure(like), leaves)
        return like


def _flat(state: Any) -> dict[str, Any]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


def _verified(folder: Path) -> dict[str, np.ndarray[Any, Any]] | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        data = (folder / TENSORS).read_bytes()
    except (OSError, ValueError):
        return None
    if hashlib.sha256(data).hexdigest() != manifest.get("sha256"):
        return None
    tensors: dict[str, np.ndarray[Any, Any]] = load(data)
    return tensors


def _fits(tensors: dict[str, np.ndarray[Any, Any]], like: Any) -> bool:
    wanted = {key: (leaf.shape, leaf.dtype) for key, leaf in _flat(like).items()}
    return wanted == {key: (value.shape, value.dtype) for key, value in tensors.items()}
