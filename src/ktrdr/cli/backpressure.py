"""Waiting for the readers of standard output and error, so that nobody makes more than is read."""

import asyncio
from contextlib import suppress

from ktrdr.cli.background_output import BackgroundStream, background_streams


async def output_taken() -> None:
    """Return once everything written so far is taken by its readers; raises what writing it raised."""
    for stream in background_streams():
        await _taken(stream)
        stream.check()


async def _taken(stream: BackgroundStream) -> None:
    loop, is_taken = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(is_taken.set)

    stream.when_taken(tell)
    await is_taken.wait()
