"""Where bars can come from, by name: what a strategy and a request may say."""

import re
from typing import Annotated

from pydantic import AfterValidator

PROVIDERS = ("sample", "csv", "parquet", "yfinance", "ccxt", "ib", "import")
WITH_VARIANTS = frozenset({"ccxt"})
NAME = re.compile(r"[a-z0-9]{1,32}(:[a-z0-9]{1,32})?")


def _provider(text: str) -> str:
    name, separator, _ = text.partition(":")
    if not NAME.fullmatch(text) or name not in PROVIDERS or (separator and name not in WITH_VARIANTS):
        raise ValueError(
            f"there is no provider `{text}`; there are {', '.join(PROVIDERS)}, "
            "and ccxt:EXCHANGE as ccxt:kraken"
        )
    return text


ProviderName = Annotated[str, AfterValidator(_provider)]
