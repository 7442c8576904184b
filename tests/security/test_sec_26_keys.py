"""Row 26: keys come from the operator's environment or keyring, and are shown nowhere."""

import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from ktrdr.errors import KtrdrError
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.credentials import Credentials, ccxt_credentials, from_keyring
from ktrdr.market_data.providers.settings import ProviderSettings
from support.local_sources import StillClock, local_exchange
from support.market_server import MarketServer, broken, market_server, nonsense, redirect
from support.synthetic_bars import HOURS

KEY, SECRET = "canary-key-7f3a", "canary-secret-91bd"
ENVIRONMENT = {"KTRDR_CCXT_KEY": KEY, "KTRDR_CCXT_SECRET": SECRET, "PATH": "/usr/bin"}
WITHIN = Interval(HOURS["time"][3], HOURS["time"][9])


def everything_said(server: MarketServer, settings: ProviderSettings) -> list[str]:
    """Return what looking up, loading and failing in several ways says, with every traceback."""
    provider = local_exchange(server, StillClock(), settings=settings)
    provider.look_up("BTC/USDT", "1h")
    said = [repr(settings), repr(provider), repr(ccxt_credentials(settings))]
    for fault in (nonsense(), redirect("https://evil.test/"), *[broken()] * 5):
        server.faults.append(fault)
    for symbol in ("NOSUCH", *["BTC/USDT"] * 3):
        with pytest.raises(KtrdrError) as failed:
            provider.fetch(symbol, "1h", WITHIN)
        said += [repr(failed.value), str(failed.value.hint), *traceback.format_exception(failed.value)]
    return said


def test_sec_26_a_key_is_in_no_representation_error_traceback_or_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with market_server() as server:
        said = everything_said(server, ProviderSettings.from_environment(ENVIRONMENT))
    logged = [f"{each.getMessage()} {each.__dict__}" for each in caplog.records]
    assert [each for each in (*said, *logged) if "canary" in each] == []


def test_sec_26_public_bars_are_asked_for_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    with market_server() as server:
        everything_said(server, ProviderSettings.from_environment(ENVIRONMENT))
    assert [each for each in (*server.asked, *map(str, server.headers)) if "canary" in each] == []


@pytest.mark.parametrize(("whose", "expected"), [("", [KEY, None]), ("kraken", [None, KEY])])
def test_sec_26_a_key_is_handed_to_the_exchange_it_belongs_to_and_to_no_other(
    whose: str, expected: list[str | None]
) -> None:
    settings = ProviderSettings.from_environment({**ENVIRONMENT, "KTRDR_CCXT_EXCHANGE": whose})
    with market_server() as server:
        keys = [
            local_exchange(server, StillClock(), name, settings=settings) for name in ("ccxt", "ccxt:kraken")
        ]
    assert [each._exchange.apiKey for each in keys] == expected


def test_keys_come_from_the_environment() -> None:
    found = ccxt_credentials(ProviderSettings.from_environment(ENVIRONMENT))
    assert found == Credentials(KEY, SECRET)


@pytest.mark.parametrize("missing", ["KTRDR_CCXT_KEY", "KTRDR_CCXT_SECRET"])
def test_half_a_pair_is_no_key(missing: str) -> None:
    half = {**ENVIRONMENT, missing: ""}
    assert ccxt_credentials(ProviderSettings.from_environment(half)) is None


class Kept(KeyringBackend):
    """Keeps secrets in memory; `broken` is a keyring that cannot be opened."""

    priority = -1  # it is not found by itself
    broken = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.broken:
            raise KeyringLocked("locked")
        return {("ktrdr", "ccxt_key"): KEY, ("ktrdr", "ccxt_secret"): SECRET}.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep nothing new."""


@pytest.fixture
def kept() -> Iterator[Kept]:
    usual = keyring.get_keyring()
    keyring.set_keyring(Kept())
    yield keyring.get_keyring()
    keyring.set_keyring(usual)


def test_keys_that_the_environment_does_not_name_come_from_the_keyring(kept: Kept) -> None:
    assert ccxt_credentials(ProviderSettings()) == Credentials(KEY, SECRET)
    assert ccxt_credentials(ProviderSettings(ccxt_key="other")) == Credentials("other", SECRET)


def test_a_keyring_that_is_locked_has_no_key(kept: Kept) -> None:
    kept.broken = True
    assert from_keyring("ccxt_key") is None


def test_without_the_library_there_is_no_key() -> None:
    program = (
        "import sys\n"
        "sys.modules['keyring'] = None\n"
        "from ktrdr.market_data.providers.credentials import from_keyring\n"
        "print(from_keyring('ccxt_key'))"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert said == "None\n"


def test_without_a_keyring_that_can_be_used_there_is_no_key() -> None:
    assert from_keyring("ccxt_key") is None


def test_settings_are_read_from_the_environment_alone(tmp_path: Path) -> None:
    variables = {
        "KTRDR_CSV_FOLDER": "~/bars",
        "KTRDR_PARQUET_FOLDER": str(tmp_path),
        "KTRDR_IB_ADDRESS": "gateway:7497",
        "KTRDR_IB_CLIENT_ID": "3",
    }
    expected = ProviderSettings(tmp_path / "pacing", Path.home() / "bars", tmp_path, "gateway:7497", 3)
    assert ProviderSettings.from_environment(variables, tmp_path / "pacing") == expected


def test_what_is_not_set_is_as_usual() -> None:
    assert ProviderSettings.from_environment({"KTRDR_IB_ADDRESS": ""}) == ProviderSettings()


def test_a_client_id_that_is_no_number_is_refused_by_name() -> None:
    with pytest.raises(KtrdrError, match="KTRDR_IB_CLIENT_ID"):
        ProviderSettings.from_environment({"KTRDR_IB_CLIENT_ID": "x"})
