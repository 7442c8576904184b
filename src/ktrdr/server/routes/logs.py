"""The route that serves what the worker of an operation logged."""

import asyncio
import json
from collections.abc import Callable
from os import SEEK_END
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query

from ktrdr.operations.service import OperationsService

LARGEST_PAGE = 256 * 1024


def logs_router(service: OperationsService, log_path: Callable[[str], str]) -> APIRouter:
    """Return the route; `log_path` tells where an operation's log is."""
    router = APIRouter(prefix="/api/v1/operations", tags=["operations"])

    @router.get("/{operation_id}/logs")
    async def logs(operation_id: str, after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0) -> dict[str, Any]:
        """Return whole lines after a position as fields, the next position, and whether more can come."""
        operation = await service.get(operation_id)
        path = Path(log_path(operation.operation_id))
        lines, position = await asyncio.to_thread(_lines, path, after, is_over=operation.is_terminal)
        data = {"lines": [_parsed(line) for line in lines], "after": position, "ended": operation.is_terminal}
        return {"success": True, "data": data}

    return router


def _parsed(line: str) -> dict[str, str | None]:
    """Return a line's fields; one that was not written by a logger is a message alone."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("message"), str):
        return {"ts": None, "level": None, "source": None, "message": line}
    trace = f"\n{found['exception']}" if found.get("exception") else ""
    named = {name: str(found.get(name) or "") for name in ("ts", "level", "source")}
    return {**named, "message": found["message"] + trace}


def _lines(path: Path, after: int, *, is_over: bool) -> tuple[list[str], int]:
    """Return whole lines; one without an end only if no more can come, or if it fills a page."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, SEEK_END)
            file.seek(min(after, size))
            data = file.read(LARGEST_PAGE)
    except FileNotFoundError:
        return [], after
    is_full = len(data) == LARGEST_PAGE
    takes_all = b"\n" not in data if is_full else is_over
    whole = data if takes_all else data[: data.rfind(b"\n") + 1]
    return whole.decode(errors="replace").splitlines(), after + len(whole)
