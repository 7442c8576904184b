"""What the operator of a server tells providers: folders, addresses and keys; never part of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ktrdr.errors import InputInvalid

VARIABLES = (
    "KTRDR_CSV_FOLDER",
    "KTRDR_PARQUET_FOLDER",
    "KTRDR_CCXT_KEY",
    "KTRDR_CCXT_SECRET",
    "KTRDR_CCXT_EXCHANGE",
    "KTRDR_IB_ADDRESS",
    "KTRDR_IB_CLIENT_ID",
)
IB_ADDRESS = "127.0.0.1:4001"
IB_CLIENT_ID = 17
CCXT_EXCHANGE = "binance"


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Where providers find folders, addresses and keys; keys are not part of its representation.

    `pacing` is the folder in which processes of this machine share what they may still ask of a source,
    `ccxt_exchange` the one whose key it is.
    """

    pacing: Path | None = None
    csv_folder: Path | None = None
    parquet_folder: Path | None = None
    ib_address: str = IB_ADDRESS
    ib_client_id: int = IB_CLIENT_ID
    ccxt_key: str | None = field(default=None, repr=False)
    ccxt_secret: str | None = field(default=None, repr=False)
    ccxt_exchange: str = CCXT_EXCHANGE

    @classmethod
    def from_environment(cls, variables: Mapping[str, str], pacing: Path | None = None) -> "ProviderSettings":
        """Read `VARIABLES`; an empty one is not set. Raises InputInvalid for a client id that is none."""
        given = {name: variables[name] for name in VARIABLES if variables.get(name)}
        return cls(
            pacing,
            _folder(given.get("KTRDR_CSV_FOLDER")),
            _folder(given.get("KTRDR_PARQUET_FOLDER")),
            given.get("KTRDR_IB_ADDRESS", IB_ADDRESS),
            _client_id(given.get("KTRDR_IB_CLIENT_ID")),
            given.get("KTRDR_CCXT_KEY"),
            given.get("KTRDR_CCXT_SECRET"),
            given.get("KTRDR_CCXT_EXCHANGE", CCXT_EXCHANGE),
        )


def _folder(path: str | None) -> Path | None:
    return Path(path).expanduser().absolute() if path else None


def _client_id(text: str | None) -> int:
    if text is None:
        return IB_CLIENT_ID
    if not text.isdecimal():
        raise InputInvalid(f"`KTRDR_IB_CLIENT_ID` is `{text}`", hint="it is a number, as 17")
    return int(text)
