"""`ktrdr run`: start an operation of any kind the server knows, also one this version has no words for."""

import json
from typing import Annotated, Any

import typer

from ktrdr.cli.operation_adapters.base import DescribedKindAdapter
from ktrdr.cli.options import (
    DetachOption,
    NoProgressOption,
    OnInterruptOption,
    Progress,
    ProgressOption,
    QuietOption,
    RunOutput,
    RunOutputOption,
    UrlOption,
)
from ktrdr.cli.session import Session, message_of, open_session
from ktrdr.errors import InputInvalid, NotFound

app = typer.Typer(rich_markup_mode=None)


@app.command()
def run(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="A kind of operation; an unknown one is told which there are.")],
    *,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A field of the request, as JSON or as text."),
    ] = None,
    url: UrlOption = None,
    output: RunOutputOption = RunOutput.TABLE,
    quiet: QuietOption = False,
    progress: ProgressOption = Progress.AUTO,
    no_progress: NoProgressOption = False,
    detach: DetachOption = False,
    on_interrupt: OnInterruptOption = None,
) -> None:
    """Start and follow an operation of a kind that the server describes; Ctrl+C cancels it."""
    payload = dict(map(_pair, values or []))
    session = open_session(
        context,
        url,
        output=output,
        quiet=quiet,
        progress=Progress.NONE if no_progress else progress,
        detach=detach,
        on_interrupt=on_interrupt,
    )
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
        return name, json.loads(value)
    except ValueError:
        return name, value
