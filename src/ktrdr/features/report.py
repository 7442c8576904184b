"""What a dataset looks like before anything is trained on it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ktrdr.features.dataset import Dataset
from ktrdr.features.partition import Partition
from ktrdr.features.weights import class_shares

WORDS = {"train": "training", "validation": "validation", "test": "test"}
RARE_CLASS = 0.05
FEWEST_EFFECTIVE = 30


def dataset_report(dataset: Dataset) -> dict[str, Any]:
    """Return ledger, cuts, class shares and effective samples per split, and warnings.

    Of each split `class_shares` are of its rows, `class_weights` of their uniqueness: overlapping labels of
    one class are many rows and little weight.
    """
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "ledger": [asdict(row) for row in dataset.ledger],
        "cuts": {"validation": _day(dataset.cuts.validation), "test": _day(dataset.cuts.test)},
        "splits": {name: _shares(dataset, part) for name, part in parts.items()},
        "inputs": len(dataset.feature_names),
        "warnings": [
            *_set_warnings(dataset),
            *_class_warnings(dataset),
            *_symbol_warnings(dataset, parts),
            *_sample_warnings(parts),
        ],
    }


def _shares(dataset: Dataset, part: Partition) -> dict[str, Any]:
    shares = class_shares(part.y, np.ones(len(part)), len(dataset.classes))
    weights = class_shares(part.y, part.u, len(dataset.classes))
    return {
        "rows": len(part),
        "effective_samples": float(part.u.sum()),
        "first": _day(int(part.time.min())),
        "last": _day(int(part.time.max())),
        "class_shares": dict(zip(dataset.classes, shares.tolist(), strict=True)),
        "class_weights": dict(zip(dataset.classes, weights.tolist(), strict=True)),
    }


def _set_warnings(dataset: Dataset) -> list[str]:
    warnings = []
    present = [number for number, name in enumerate(dataset.feature_names) if "@" not in name]
    for number in present:
        values, name = dataset.train.x[:, number], dataset.feature_names[number]
        if not values.any():
            warnings.append(f"fuzzy set `{name}` is never active on the training rows")
        elif (values == 1).all():
            warnings.append(f"fuzzy set `{name}` is always fully active on the training rows")
    return [*warnings, *_uncovered_rows(dataset, present)]


def _uncovered_rows(dataset: Dataset, present: Sequence[int]) -> list[str]:
    warnings = []
    for key in dataset.fitted_sets:
        own = [number for number in present if dataset.feature_names[number].rpartition(".")[0] == key]
        dead = int((~dataset.train.x[:, own].any(axis=1)).sum())
        if dead:
            warnings.append(f"on {dead:,} training rows every membership of `{key}` is 0")
    return warnings


def _class_warnings(dataset: Dataset) -> list[str]:
    train = dataset.train
    rows = class_shares(train.y, np.ones(len(train)), len(dataset.classes))
    weights = class_shares(train.y, train.u, len(dataset.classes))
    return [
        f"class {name} is {of_rows:.1%} of the training rows and {of_weight:.1%} of their weight"
        for name, of_rows, of_weight in zip(dataset.classes, rows, weights, strict=True)
        if min(of_rows, of_weight) < RARE_CLASS
    ]


def _symbol_warnings(dataset: Dataset, parts: Mapping[str, Partition]) -> list[str]:
    return [
        f"{symbol} has no {WORDS[name]} rows: the figures of that split say nothing of it"
        for name, part in parts.items()
        for number, symbol in enumerate(dataset.symbols)
        if not (part.symbol == number).any()
    ]


def _sample_warnings(parts: Mapping[str, Partition]) -> list[str]:
    return [
        f"only {part.u.sum():.0f} effective {WORDS[name]} samples: hardly anything can be told from them"
        for name, part in parts.items()
        if part.u.sum() < FEWEST_EFFECTIVE
    ]


def _day(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.date().isoformat()
