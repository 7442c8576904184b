"""Symbols as folder names: no two share a folder, on any file system, and none leads anywhere else."""

from urllib.parse import quote


def folder_name(name: str) -> str:
    """Percent-encode everything but digits and capitals, so that no two symbols share a folder anywhere."""
    return "".join(
        each if each.isdigit() or (each.isascii() and each.isupper()) else _encoded(each) for each in name
    )


def _encoded(character: str) -> str:
    quoted = quote(character, safe="")
    return quoted if quoted.startswith("%") else f"%{ord(character):02X}"
