"""The one maker of ids, for operations and for the files that travel beside them."""

import secrets

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
UPLOAD_ID = r"^upl_[a-z2-7]{26}$"


def new_operation_id(name: str) -> str:
    """Mint `op_<name>_<12 random base32 characters>`: unguessable enough never to meet another."""
    return f"op_{name}_{_random(12)}"


def new_upload_id() -> str:
    """Mint `upl_<26 random base32 characters>`: 130 bits, because whoever knows it may claim the file."""
    return f"upl_{_random(26)}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
