"""One adapter per kind of operation, imported only when it is asked for."""

from collections.abc import Mapping

from ktrdr.cli.operation_adapters.base import DescribedKindAdapter, OperationAdapter
from ktrdr.lazy import resolve

ADAPTERS: Mapping[str, str] = {
    "data_check": "ktrdr.cli.operation_adapters.data_check:DataCheckOperationAdapter",
    "data_import": "ktrdr.cli.operation_adapters.data_import:DataImportOperationAdapter",
    "data_load": "ktrdr.cli.operation_adapters.data_load:DataLoadOperationAdapter",
    "dummy": "ktrdr.cli.operation_adapters.dummy:DummyOperationAdapter",
    "training": "ktrdr.cli.operation_adapters.training:TrainingOperationAdapter",
}


def adapter_of_kind(kind: str) -> OperationAdapter:
    """Return an adapter that shows operations of `kind`; one without domain words for an unknown kind."""
    if kind not in ADAPTERS:
        return DescribedKindAdapter()
    adapter: type[OperationAdapter] = resolve(ADAPTERS[kind])
    return adapter.for_display()


def __getattr__(name: str) -> type[OperationAdapter]:
    for target in ADAPTERS.values():
        if target.endswith(f":{name}"):
            adapter: type[OperationAdapter] = resolve(target)
            return adapter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
