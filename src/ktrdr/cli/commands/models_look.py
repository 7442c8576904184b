"""`ktrdr models list` and `show`: which models there are, and everything that is known of one."""

import re
import shutil
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from ktrdr.cli.options import Output, OutputOption, UrlOption
from ktrdr.cli.results.models import Sort, chosen, csv_lines, model_lines, page_lines
from ktrdr.cli.session import Session, open_session
from ktrdr.cli.warnings_to_user import warn
from ktrdr.errors import InputInvalid, NotFound
from ktrdr.lazy import resolve

MODEL_NAME = re.compile(r"[a-z][a-z0-9_]*(/[A-Za-z0-9-]+)?")
CURVE = "ktrdr.cli.results.loss_chart:loss_chart"
CURVE_HEIGHT = 16


class ListOutput(StrEnum):
    """How a list is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def list_models(
    context: typer.Context,
    *,
    symbol: Annotated[str | None, typer.Option(help="Only those trained on this symbol.")] = None,
    strategy: Annotated[str | None, typer.Option(help="Only those of this strategy.")] = None,
    sort: Annotated[Sort, typer.Option(help="What comes first: the newest, or the greatest.")] = Sort.WHEN,
    limit: Annotated[int | None, typer.Option(min=1, help="How many at most.")] = None,
    url: UrlOption = None,
    output: Annotated[
        ListOutput, typer.Option("--output", "-o", help="Write for people or programs.")
    ] = ListOutput.TABLE,
) -> None:
    """List trained models, newest first."""
    session = open_session(context, url, output=output)
    answer = session.ask(lambda client: client.get("/api/v1/models"))
    models = chosen(answer["data"], symbol, strategy, sort)[:limit]
    if output is ListOutput.JSON:
        session.print_json({"models": models})
    elif output is ListOutput.CSV:
        _print(session, csv_lines(models))
    elif models:
        _print(session, model_lines(models))
    else:
        typer.echo("There are no such models." if answer["data"] else "There are no models.", err=True)
    for name in answer.get("damaged") or ():
        warn(f"model `{name}` is damaged; train it again")


def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model: STRATEGY/RUN, or STRATEGY for its newest.")],
    *,
    curve: Annotated[bool, typer.Option("--curve", help="Draw how the losses fell.")] = False,
    url: UrlOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one model, and everything that its training told."""
    if curve and output is Output.JSON:
        raise InputInvalid(
            "--curve cannot be written as JSON", hint="leave it out: the losses are in `history`"
        )
    if not MODEL_NAME.fullmatch(name):
        raise NotFound(f"there is no model `{name}`", hint="see `ktrdr models list`")
    session = open_session(context, url, output=output)
    model = session.ask(lambda client: client.get(f"/api/v1/models/{name}"))["data"]
    if output is Output.JSON:
        session.print_json(model)
        return
    _print(session, page_lines(model))
    if curve:
        _print_curve(session, model)


def _print(session: Session, lines: Sequence[str]) -> None:
    session.out.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _print_curve(session: Session, model: dict[str, Any]) -> None:
    if not model.get("history"):
        warn("how the losses fell was not kept with this model")
        return
    width = max(shutil.get_terminal_size((100, CURVE_HEIGHT)).columns, 40)
    can_colour = bool(session.out.color_system) and not session.out.no_color
    lines = resolve(CURVE)(model["history"], width=width, height=CURVE_HEIGHT, coloured=can_colour)
    session.out.file.write("\n".join(lines) + "\n")
