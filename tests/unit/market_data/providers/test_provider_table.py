"""Providers by name, and what is said of those that cannot be had."""

import subprocess
import sys

import pytest

from ktrdr.errors import InputInvalid
from ktrdr.market_data.providers.crypto_exchange import CryptoExchange
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.providers.table import PROVIDERS, open_provider
from ktrdr.market_data.series_choice import IMPORTED
from ktrdr.strategies import provider_name

WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {library!r}:
            raise ModuleNotFoundError("none", name=name)
sys.meta_path.insert(0, Missing())
from ktrdr.errors import InputInvalid
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.providers.table import open_provider
try:
    open_provider({provider!r}, ProviderSettings())
except InputInvalid as error:
    print(error.message, "|", error.hint)
"""


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def test_every_provider_of_the_table_can_be_opened() -> None:
    for name in PROVIDERS:
        provider = open_provider(name, ProviderSettings())
        assert (provider.name, provider.adjustment) == (name, provider.adjustments[0])
        provider.close()


def test_a_variant_of_ccxt_is_another_provider() -> None:
    provider = open_provider("ccxt:kraken", ProviderSettings())
    assert (type(provider), provider.name) == (CryptoExchange, "ccxt:kraken")


@pytest.mark.parametrize("name", ["yahoo", "", "sample:x", "yfinance:AAPL", "csv:"])
def test_an_unknown_provider_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(InputInvalid, match="there is no provider") as refused:
        open_provider(name, ProviderSettings())
    assert "yfinance" in str(refused.value.hint)


@pytest.mark.parametrize("name", ["ccxt:nosuch", "ccxt:Exchange", "ccxt:__init__", "ccxt:errors"])
def test_an_unknown_exchange_is_refused_with_examples(name: str) -> None:
    with pytest.raises(InputInvalid, match="knows no exchange") as refused:
        open_provider(name, ProviderSettings())
    assert "ccxt:kraken" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("name", "adjustment"),
    [("yfinance", "raw"), ("ccxt", "split"), ("ib", "split_dividend"), ("csv", "split")],
)
def test_an_adjustment_that_cannot_be_had_is_refused_with_those_that_can(name: str, adjustment: str) -> None:
    with pytest.raises(InputInvalid, match=f"`{name}` does not serve `{adjustment}`") as refused:
        open_provider(name, ProviderSettings(), adjustment)  # type: ignore[arg-type]
    assert str(refused.value.hint).startswith("it serves `")


@pytest.mark.parametrize(
    ("provider", "library"),
    [("yfinance", "yfinance"), ("yfinance", "curl_cffi"), ("ccxt", "ccxt"), ("ib", "ib_async")],
)
def test_a_missing_library_is_named_with_how_to_install_it(provider: str, library: str) -> None:
    said = run(WITHOUT.format(library=library, provider=provider))
    needs = f"`{provider}` needs the library `{library}`, which is not installed"
    assert said == f"{needs} | pip install 'ktrdr[{provider}]'\n"


def test_the_sample_needs_no_library_of_another_provider() -> None:
    loaded = run(
        "import sys\n"
        "from ktrdr.market_data.providers.table import open_provider\n"
        "from ktrdr.market_data.providers.settings import ProviderSettings\n"
        "open_provider('sample', ProviderSettings())\n"
        "print(sorted({'yfinance', 'ccxt', 'ib_async', 'curl_cffi', 'pandas'} & set(sys.modules)))"
    )
    assert loaded == "[]\n"


def test_what_a_request_may_name_is_what_there_is_and_ones_own_imports() -> None:
    assert {*PROVIDERS, IMPORTED} == set(provider_name.PROVIDERS)
