"""The explicit table of handlers."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from ktrdr.lazy import resolve
from ktrdr.operations.context import OperationContext
from ktrdr.worker.folders import Folders

Handler = Callable[[Any, OperationContext, Folders], BaseModel]

HANDLERS: Mapping[str, str] = {
    "data_check": "ktrdr.worker.handlers.data_check:handle",
    "data_import": "ktrdr.worker.handlers.data_import:handle",
    "data_load": "ktrdr.worker.handlers.data_load:handle",
    "dummy": "ktrdr.worker.handlers.dummy:handle",
    "training": "ktrdr.worker.handlers.training:handle",
}


def load_handler(kind: str) -> Handler:
    """Import the handler of a kind; raises KeyError for an unknown one."""
    handler: Handler = resolve(HANDLERS[kind])
    return handler
