"""What a dataset looks like before anything is trained on it."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from ktrdr.features.dataset import Dataset, Partition

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
    dead = int((dataset.train.x[:, present].sum(axis=1) == 0).sum())
    return [*warnings, *([f"on {dead} training rows every membership is 0"] if dead else [])]


def _class_warnings(dataset: Dataset) -> list[str]:
    return [
        f"class {name} is only {share:.1%} of the training rows"
        for name, share in zip(dataset.classes, dataset.pi, strict=True)
        if share < RARE_CLASS
    ]


def _day(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.date().isoformat()
