"""Tensors read from safetensors files that anybody may have written.

What a file claims is held against what is expected, name by name and byte by byte, before anything is
allocated for it. Layout: 8 bytes with the header's length, the header as JSON, the tensors without a gap.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load

from ktrdr.errors import InputInvalid

Tensors = dict[str, npt.NDArray[Any]]
Expected = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]

LARGEST_HEADER = 10 * 1024 * 1024
MOST_TENSORS = 10_000
LENGTH_BYTES = 8
SHORT_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "int64": "I64",
    "int32": "I32",
    "uint64": "U64",
    "uint32": "U32",
    "bool": "BOOL",
}


def largest_file(expected: Expected) -> int:
    """Return how many bytes a file of these tensors can have at most."""
    return LENGTH_BYTES + LARGEST_HEADER + sum(_size(*each) for each in expected.values())


def read_tensors(data: bytes, expected: Expected, what: str) -> Tensors:
    """Return the expected tensors; raises InputInvalid, naming the file `what`, if there is anything else."""
    problem = _problem(data, expected)
    if problem:
        raise InputInvalid(f"`{what}` is damaged: {problem}", hint="train it again")
    tensors: Tensors = load(data)
    return tensors


def _problem(data: bytes, expected: Expected) -> str | None:
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    if len(data) < LENGTH_BYTES or length > min(LARGEST_HEADER, len(data) - LENGTH_BYTES):
        return "its header is cut off or too long"
    header = _header(data[LENGTH_BYTES : LENGTH_BYTES + length])
    if header is None:
        return "its header cannot be read"
    if header.keys() != expected.keys():
        return "it has other tensors than the strategy says"
    end = 0
    for name in sorted(header, key=lambda each: _start(header[each])):
        if header[name] != _entry(*expected[name], end):
            return f"tensor `{name}` is not what the strategy says, or overlaps another"
        end += _size(*expected[name])
    return None if end == len(data) - LENGTH_BYTES - length else "it does not end where its tensors do"


def _header(text: bytes) -> dict[str, Any] | None:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or len(header) > MOST_TENSORS:
        return None
    header.pop("__metadata__", None)
    return header


def _start(entry: object) -> int:
    """Return where a tensor says that it begins, 0 where it says nothing sensible."""
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    start = offsets[0] if isinstance(offsets, list) and offsets else None
    return start if isinstance(start, int) else 0


def _entry(shape: tuple[int, ...], dtype: np.dtype[Any], start: int) -> dict[str, Any]:
    """Return the one true header entry of a tensor."""
    name = SHORT_NAMES.get(dtype.name, "unknown")
    return {"dtype": name, "shape": list(shape), "data_offsets": [start, start + _size(shape, dtype)]}


def _size(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    return math.prod(shape) * dtype.itemsize
