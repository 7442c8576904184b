"""A file of weights that somebody else wrote is read as expected or refused, before anything is allocated."""

import json
import resource
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from ktrdr.errors import InputInvalid
from ktrdr.training.tensors import LARGEST_HEADER, Expected, largest_file, read_tensors

EXPECTED: Expected = {
    "layer0.weight": ((3, 2), np.dtype(np.float32)),
    "layer0.bias": ((2,), np.dtype(np.float32)),
}
TENSORS = {
    "layer0.weight": np.arange(6, dtype=np.float32).reshape(3, 2),
    "layer0.bias": np.ones(2, np.float32),
}
GOOD = save(TENSORS)
HUGE = 2**40


def packed(header: object, body: bytes = bytes(32)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entries() -> dict[str, Any]:
    return {
        "layer0.weight": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]},
        "layer0.bias": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]},
    }


def with_entry(name: str, **changes: object) -> bytes:
    header = entries()
    header[name] = {**header[name], **changes}
    return packed(header)


def without(name: str) -> bytes:
    header = entries()
    del header[name]
    return packed(header)


def test_what_was_saved_is_read() -> None:
    for data in (
        GOOD,
        packed(entries(), TENSORS["layer0.weight"].tobytes() + TENSORS["layer0.bias"].tobytes()),
    ):
        for name, value in read_tensors(data, EXPECTED, "weights").items():
            np.testing.assert_array_equal(value, TENSORS[name])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 7,
        GOOD[:-1],
        GOOD + b"\x00",
        (2**63).to_bytes(8, "little") + GOOD[8:],
        (LARGEST_HEADER + 1).to_bytes(8, "little") + b" " * (LARGEST_HEADER + 1),
        packed(json.dumps(entries()).encode() + b" " * LARGEST_HEADER),
        packed(b"[" * 100_000),
        packed(b"{"),
        packed([]),
        packed({f"t{number}": {} for number in range(10_001)}),
        packed({}),
        without("layer0.bias"),
        packed({**entries(), "layer1.bias": {"dtype": "F32", "shape": [0], "data_offsets": [32, 32]}}),
        with_entry("layer0.bias", dtype="F64"),
        with_entry("layer0.bias", dtype="BF16"),
        with_entry("layer0.bias", shape=[HUGE, HUGE]),
        with_entry("layer0.bias", shape=[-2]),
        with_entry("layer0.bias", shape=[2, 1]),
        with_entry("layer0.bias", shape="2"),
        with_entry("layer0.bias", data_offsets=[16, 24]),
        with_entry("layer0.bias", data_offsets=[24, HUGE]),
        with_entry("layer0.bias", data_offsets=[-8, 0]),
        with_entry("layer0.bias", data_offsets=[32, 24]),
        with_entry("layer0.bias", data_offsets=[28, 36]),
        with_entry("layer0.bias", data_offsets=None),
        with_entry("layer0.bias", data_offsets=["24", "32"]),
        with_entry("layer0.bias", more=1),
        packed({**entries(), "layer0.bias": 3}),
    ],
)
def test_a_lying_file_is_refused_in_one_sentence(data: bytes) -> None:
    with pytest.raises(InputInvalid, match="`weights` is damaged"):
        read_tensors(data, EXPECTED, "weights")


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.integers(0, len(GOOD)))
@settings(max_examples=300)
def test_a_file_with_any_byte_changed_or_cut_is_as_expected_or_refused(
    place: int, byte: int, end: int
) -> None:
    for data in (GOOD[:place] + bytes([byte]) + GOOD[place + 1 :], GOOD[:end], GOOD[:place] + GOOD[end:]):
        try:
            tensors = read_tensors(data, EXPECTED, "weights")
        except InputInvalid:
            continue
        assert {name: (each.shape, each.dtype) for name, each in tensors.items()} == EXPECTED


def test_a_great_claim_costs_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for shape in ([HUGE], [HUGE, HUGE], [2**31, 2**31, 2**31]):
        with pytest.raises(InputInvalid):
            read_tensors(with_entry("layer0.weight", shape=shape), EXPECTED, "weights")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_how_large_a_file_may_be_is_known_from_the_strategy() -> None:
    assert largest_file(EXPECTED) == 8 + LARGEST_HEADER + 32
