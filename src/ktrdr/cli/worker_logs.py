"""What the worker of an operation logged, read page by page."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.backpressure import output_taken
from ktrdr.errors import KtrdrError, ServerFailed

LOG_PAUSE = 0.3
LAST_LOOK = 0.3


class LogReader:
    """Reads the log of one operation from where it stopped reading."""

    def __init__(self, client: KtrdrApiClient, operation_id: str) -> None:
        self._client = client
        self._path = f"/api/v1/operations/{quote(operation_id, safe='')}/logs"
        self._after = 0
        self.is_over = False

    async def read(self) -> list[dict[str, Any]]:
        """Return the lines that are new; `is_over` tells that no more can come. Raises KtrdrError."""
        answer = await self._client.get(self._path, after=self._after)
        try:
            page = answer["data"]
            lines = [dict(line) for line in page["lines"]]
            self._after, ended = int(page["after"]), bool(page["ended"])
        except (LookupError, TypeError, ValueError) as error:
            raise ServerFailed(
                "the log cannot be understood", hint="is the server of this version?"
            ) from error
        self.is_over = ended and not lines
        return lines


def log_text(line: dict[str, Any]) -> str:
    """Return a line as people read it: their own time, level, message; or as it was written, without more."""
    message = str(line.get("message") or "")
    try:
        moment = datetime.fromisoformat(str(line.get("ts"))).astimezone()
    except ValueError:
        return message
    return f"{moment:%H:%M:%S} {line.get('level') or '':<7} {message}"


@asynccontextmanager
async def told(reader: LogReader, say: Callable[[dict[str, Any]], None]) -> AsyncGenerator[None, None]:
    """Say every line that is logged while the block runs, and those that came last."""
    telling = asyncio.ensure_future(_tell(reader, say))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait({telling})
        with suppress(TimeoutError, KtrdrError):
            async with asyncio.timeout(LAST_LOOK):
                await _say_rest(reader, say)


async def _tell(reader: LogReader, say: Callable[[dict[str, Any]], None]) -> None:
    while not reader.is_over:
        with suppress(KtrdrError):
            for line in await reader.read():
                say(line)
            await output_taken()
        await asyncio.sleep(LOG_PAUSE)


async def _say_rest(reader: LogReader, say: Callable[[dict[str, Any]], None]) -> None:
    while not reader.is_over and (lines := await reader.read()):
        for line in lines:
            say(line)
