"""All active operations at once, live, a line each."""

import asyncio
import sys
import time

from rich.live import Live
from rich.text import Text

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.backpressure import output_taken
from ktrdr.cli.console import PlainSpokenConsole
from ktrdr.cli.follow import unless, wait_for
from ktrdr.cli.interrupts import Interrupts
from ktrdr.cli.operation_tables import table_lines
from ktrdr.cli.options import MOST_SEARCHED
from ktrdr.errors import InputInvalid

LOOK_SECONDS = 1.0
NOTHING = "No operation is active."


async def watch_active(client: KtrdrApiClient, kind: str | None = None) -> int | None:
    """Draw until nothing is active, or a signal came; return the signal's number.

    Raises InputInvalid where there is no terminal to draw on.
    """
    console = PlainSpokenConsole(stderr=True)
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        raise InputInvalid(
            "watching needs a terminal", hint="use `ktrdr operations list --active`, or `operations wait`"
        )
    wanted = {"operation_type": kind} if kind else {}
    interrupts = Interrupts(asyncio.Event, time.monotonic)
    with (
        interrupts.listening(asyncio.get_running_loop()),
        Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live,
    ):
        while not interrupts.first.is_set():
            active = (await client.list_operations(active_only=True, limit=MOST_SEARCHED, **wanted))["data"]
            lines = table_lines(active) if active else [NOTHING]
            live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)
            await unless(interrupts.first, output_taken())
            if not active:
                break
            await wait_for(interrupts.first, LOOK_SECONDS)
    return interrupts.signum
