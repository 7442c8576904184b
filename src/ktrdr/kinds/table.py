"""The explicit table of kinds, and its one reader."""

from collections.abc import Mapping

from ktrdr.lazy import resolve
from ktrdr.operations.kind import OperationKind

KINDS: Mapping[str, str] = {
    "data_check": "ktrdr.kinds.data_check:KIND",
    "data_import": "ktrdr.kinds.data_import:KIND",
    "data_load": "ktrdr.kinds.data_load:KIND",
    "dummy": "ktrdr.kinds.dummy:KIND",
    "training": "ktrdr.kinds.training:KIND",
}


def load_kind(name: str) -> OperationKind:
    """Return one kind; raises KeyError for an unknown name."""
    kind: OperationKind = resolve(KINDS[name])
    return kind


def load_kinds() -> dict[str, OperationKind]:
    """Return every kind by name."""
    return {name: load_kind(name) for name in KINDS}
