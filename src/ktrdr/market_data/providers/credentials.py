"""Keys of the operator: from the environment of the server or a keyring, and from nowhere else."""

from dataclasses import dataclass, field

from ktrdr.lazy import resolve
from ktrdr.market_data.providers.settings import ProviderSettings

SERVICE = "ktrdr"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and its secret; its representation shows neither."""

    key: str = field(repr=False)
    secret: str = field(repr=False)


def ccxt_credentials(settings: ProviderSettings) -> Credentials | None:
    """Return the key that the environment names, else what a keyring keeps as `ccxt_key` and `ccxt_secret`.

    Half a pair is none.
    """
    key = settings.ccxt_key or from_keyring("ccxt_key")
    secret = settings.ccxt_secret or from_keyring("ccxt_secret")
    return Credentials(key, secret) if key and secret else None


def from_keyring(name: str) -> str | None:
    """Return what the keyring keeps for the service `ktrdr`; None without library, keyring, or entry."""
    try:
        get_password, keyring_error = resolve("keyring:get_password"), resolve("keyring.errors:KeyringError")
    except ModuleNotFoundError:
        return None
    try:
        kept: str | None = get_password(SERVICE, name)
    except keyring_error:
        return None
    return kept
