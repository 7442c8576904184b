"""What a dataset looks like before anything is trained on it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ktrdr.features.dataset import Dataset
from ktrdr.features.partition import Partition

RARE_CLASS = 0.05


def dataset_report(dataset: Dataset) -> dict[str, Any]:
    """Return ledger, cuts, class shares and effective samples per split, and warnings."""
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "ledger": [asdict(row) for row in dataset.ledger],
        "cuts": {"validation": _day(dataset.cuts.validation), "test": _day(dataset.cuts.test)},
        "splits": {name: _shares(dataset, part) for name, part in parts.items()},
        "inputs": len(dataset.feature_names),
        "warnings": [*_set_warnings(dataset), *_class_warnings(dataset)],
    }


def _shares(dataset: Dataset, part: Partition) -> dict[str, Any]:
    counts = np.bincount(part.y, minlength=len(dataset.classes)) / len(part)
    return {
        "rows": len(part),
        "effective_samples": float(part.u.sum()),
        "first": _day(int(part.time.min())),
        "last": _day(int(part.time.max())),
        "class_shares": dict(zip(dataset.classes, counts.tolist(), strict=True)),
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
    return [
        f"class {name} is only {share:.1%} of the training rows"
        for name, share in zip(dataset.classes, dataset.pi, strict=True)
        if share < RARE_CLASS
    ]


def _day(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.date().isoformat()
