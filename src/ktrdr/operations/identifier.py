"""The one maker of operation ids."""

import secrets

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def new_operation_id(name: str) -> str:
    """Mint `op_<name>_<12 random base32 characters>`: unguessable enough never to meet another."""
    return f"op_{name}_" + "".join(secrets.choice(_ALPHABET) for _ in range(12))
