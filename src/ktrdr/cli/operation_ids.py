"""How people name operations: whole ids, unique beginnings, @last, ^1."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.follow import read_operation
from ktrdr.cli.options import MOST_SEARCHED
from ktrdr.errors import InputInvalid, NotFound

NEWEST = "@last"
EARLIER = re.compile(r"\^(\d{1,3})")
WRITTEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="An id, a unique beginning of one, @last for the last started here, ^1 for the one before.",
    ),
]


async def whole_id(client: KtrdrApiClient, given: str, started: Sequence[str] = ()) -> str:
    """Return the one id that `given` names; raises NotFound or InputInvalid.

    `@last` and `^1` count in `started`, newest first; without any, in what the server knows.
    """
    place = _place(given)
    if place is None and not WRITTEN.fullmatch(given):
        raise NotFound(f"there is no operation `{given}`", hint="see `ktrdr operations list`")
    if place is None:
        with suppress(NotFound):
            return str((await read_operation(client, given))["operation_id"])
    if place is not None and started:
        return _one_of(given, started[place : place + 1])
    page = await client.list_operations(limit=MOST_SEARCHED if place is None else place + 1)
    known = [str(each["operation_id"]) for each in page["data"]]
    matches = [each for each in known if each.startswith(given)] if place is None else known[place:]
    if place is None and len(matches) > 1:
        raise InputInvalid(
            f"`{given}` begins {len(matches)} ids", hint="write more of it: " + ", ".join(matches[:5])
        )
    return _one_of(given, matches)


def _one_of(given: str, matches: Sequence[str]) -> str:
    if not matches:
        raise NotFound(f"there is no operation `{given}`", hint="see `ktrdr operations list`")
    return matches[0]


def _place(given: str) -> int | None:
    """Return how many operations are newer than the one meant; None for an id."""
    if given == NEWEST:
        return 0
    earlier = EARLIER.fullmatch(given)
    return int(earlier.group(1)) if earlier else None
