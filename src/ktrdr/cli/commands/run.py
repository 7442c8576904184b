"""`ktrdr run`: start an operation of any kind the server knows, also one this version has no words for."""

import json
from typing import Annotated, Any

import typer

from ktrdr.cli.operation_adapters.base import DescribedKindAdapter
from ktrdr.cli.operation_command import OpenSession, operation_command
from ktrdr.cli.session import Session, message_of
from ktrdr.errors import InputInvalid, NotFound

app = typer.Typer(rich_markup_mode=None)


@app.command()
@operation_command()
def run(
    opened: OpenSession,
    kind: Annotated[str, typer.Argument(help="A kind of operation; an unknown one is told which there are.")],
    *,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A field of the request, as JSON or as text."),
    ] = None,
) -> None:
    """Start and follow an operation of a kind that the server describes."""
    payload = dict(map(_pair, values or []))
    session = opened()
    session.run(DescribedKindAdapter(kind, _start_path(session, kind), payload), message_of)


def _start_path(session: Session, kind: str) -> str:
    kinds = session.ask(lambda client: client.get("/api/v1/operation-kinds"))["data"]
    known = {str(each["name"]): str(each["start_path"]) for each in kinds}
    if kind not in known or not known[kind].startswith("/"):
        raise NotFound(f"there is no kind `{kind}`", hint=f"there are {', '.join(sorted(known))}")
    return known[kind]


def _pair(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise InputInvalid(f"--set `{text}` is not KEY=VALUE", hint="for example --set iterations=20")
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    try:
        json.dumps(parsed, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        raise InputInvalid(f"--set `{name}`: this value cannot be sent", hint="write JSON or text") from None
    return name, parsed
