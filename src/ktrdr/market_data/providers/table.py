"""The explicit table of providers."""

from collections.abc import Mapping

from ktrdr.lazy import resolve
from ktrdr.market_data.providers.base import BarProvider

PROVIDERS: Mapping[str, str] = {"sample": "ktrdr.market_data.providers.sample:SampleProvider"}


def open_provider(name: str) -> BarProvider:
    """Return a provider; raises KeyError for an unknown name."""
    provider: type[BarProvider] = resolve(PROVIDERS[name])
    return provider()
