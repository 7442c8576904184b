"""The explicit table of providers."""

from collections.abc import Mapping

from ktrdr.errors import InputInvalid
from ktrdr.lazy import resolve
from ktrdr.market_data.providers.base import BarProvider
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.strategies.bar_terms import Adjustment
from ktrdr.strategies.provider_name import WITH_VARIANTS

PROVIDERS: Mapping[str, str] = {
    "sample": "ktrdr.market_data.providers.sample:SampleProvider",
    "csv": "ktrdr.market_data.providers.folder_csv:CsvFolder",
    "parquet": "ktrdr.market_data.providers.folder_parquet:ParquetFolder",
    "yfinance": "ktrdr.market_data.providers.yahoo:YahooProvider",
    "ccxt": "ktrdr.market_data.providers.crypto_exchange:CryptoExchange",
    "ib": "ktrdr.market_data.providers.interactive_brokers:InteractiveBrokers",
}
EXTRAS = frozenset({"yfinance", "ccxt", "ib"})


def open_provider(
    name: str, settings: ProviderSettings, adjustment: Adjustment | None = None, timeframe: str = "1d"
) -> BarProvider:
    """Return a provider, of its usual adjustment for a timeframe if none is given.

    `ccxt:kraken` is the variant `kraken` of `ccxt`.

    Raises InputInvalid for an unknown name, for one whose library is not installed, and for an adjustment the
    provider cannot serve.
    """
    provider = _class_of(name)
    wanted = adjustment or provider.usual_adjustment(timeframe)
    if wanted not in provider.adjustments:
        there = ", ".join(f"`{each}`" for each in provider.adjustments)
        raise InputInvalid(f"`{name}` does not serve `{wanted}` prices", hint=f"it serves {there}")
    return provider(name, settings, wanted)


def _class_of(name: str) -> type[BarProvider]:
    family, colon, _ = name.partition(":")
    if family not in PROVIDERS or (colon and family not in WITH_VARIANTS):
        raise InputInvalid(f"there is no provider `{name}`", hint=f"there are {', '.join(PROVIDERS)}")
    try:
        provider: type[BarProvider] = resolve(PROVIDERS[family])
    except ModuleNotFoundError as missing:
        if family not in EXTRAS:
            raise
        words = f"`{family}` needs the library `{missing.name}`, which is not installed"
        raise InputInvalid(words, hint=f"pip install 'ktrdr[{family}]'") from None
    return provider
