"""The one reader of lazy tables: `name -> "module:attribute"`."""

from importlib import import_module
from typing import Any


def resolve(target: str) -> Any:
    """Import and return what `package.module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
