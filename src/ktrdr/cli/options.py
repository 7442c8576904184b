"""The options that commands share, written once."""

from enum import StrEnum
from typing import Annotated

import typer

from ktrdr.cli.role import OnInterrupt

MOST_SEARCHED = 1000


class Output(StrEnum):
    """How answers are written."""

    TABLE = "table"
    JSON = "json"


class RunOutput(StrEnum):
    """How what becomes of an operation is written: at its end, or line by line."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"


class Progress(StrEnum):
    """How progress is drawn on standard error."""

    AUTO = "auto"
    TTY = "tty"
    PLAIN = "plain"
    NONE = "none"


UrlOption = Annotated[
    str | None, typer.Option("--url", help="Use the server at this address instead of one's own.")
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Write for people or programs.")]
RunOutputOption = Annotated[
    RunOutput,
    typer.Option(
        "--output",
        "-o",
        help="Write for people, or for programs: one object at the end, or one a line.",
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Write only results, ids and errors.")]
NoProgressOption = Annotated[bool, typer.Option("--no-progress", help="Draw no progress.")]
ProgressOption = Annotated[Progress, typer.Option("--progress", help="How to draw progress.")]
LogsOption = Annotated[
    bool, typer.Option("--logs", help="Also write what the worker logs, beside the progress.")
]
BellOption = Annotated[bool, typer.Option("--bell", help="Ring the terminal's bell at the end.")]
DetachOption = Annotated[bool, typer.Option("--detach", "-d", help="Start it, write its id, and leave.")]
OnInterruptOption = Annotated[
    OnInterrupt | None, typer.Option("--on-interrupt", help="What Ctrl+C does to the operation.")
]
