"""One adapter per kind of operation, imported only when it is asked for."""

from collections.abc import Mapping

from ktrdr.cli.operation_adapters.base import OperationAdapter, UnknownKindAdapter
from ktrdr.lazy import resolve

_ADAPTERS: Mapping[str, str] = {
    "DataImportOperationAdapter": "ktrdr.cli.operation_adapters.data_import:DataImportOperationAdapter",
    "DummyOperationAdapter": "ktrdr.cli.operation_adapters.dummy:DummyOperationAdapter",
    "TrainingOperationAdapter": "ktrdr.cli.operation_adapters.training:TrainingOperationAdapter",
}
_OF_KIND: Mapping[str, str] = {
    "data_import": "DataImportOperationAdapter",
    "dummy": "DummyOperationAdapter",
    "training": "TrainingOperationAdapter",
}

__all__ = [
    "DataImportOperationAdapter",
    "DummyOperationAdapter",
    "OperationAdapter",
    "TrainingOperationAdapter",
    "adapter_of_kind",
]


def adapter_of_kind(kind: str) -> OperationAdapter:
    """Return an adapter that shows operations of `kind`; one without domain words for an unknown kind."""
    if kind not in _OF_KIND:
        return UnknownKindAdapter()
    adapter: type[OperationAdapter] = resolve(_ADAPTERS[_OF_KIND[kind]])
    return adapter.for_display()


def __getattr__(name: str) -> type[OperationAdapter]:
    if name not in _ADAPTERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    adapter: type[OperationAdapter] = resolve(_ADAPTERS[name])
    return adapter
