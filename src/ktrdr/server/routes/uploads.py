"""The route that takes a file's bytes, for one operation to claim."""

import os
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

from ktrdr.clock import Clock
from ktrdr.disk_space import disk_full, free_bytes, room_for
from ktrdr.operations.identifier import new_upload_id

UPLOADS_PATH = "/api/v1/uploads"
KEPT_SECONDS = 24 * 3600.0


def uploads_router(folder: Path, clock: Clock) -> APIRouter:
    """Return the route that spools uploads in `folder`."""
    router = APIRouter(tags=["operations"])

    @router.post(UPLOADS_PATH, status_code=201)
    async def upload(request: Request) -> dict[str, Any]:
        """Keep the body, private to this user, for a day or until an operation claims it by its id."""
        upload_id = new_upload_id()
        announced = request.headers.get("content-length", "")
        needed = int(announced) if announced.isdecimal() else None
        with room_for(folder / upload_id, needed):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _remove_forgotten(folder, clock.now().timestamp() - KEPT_SECONDS)
            if needed is not None and needed > free_bytes(folder):
                raise disk_full(folder / upload_id, needed)
            size = await _spool(request, folder / upload_id)
        return {"success": True, "data": {"upload_id": upload_id, "size": size}}

    return router


async def _spool(request: Request, path: Path) -> int:
    partial = path.with_suffix(".partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
            size = file.tell()
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    return size


def _remove_forgotten(folder: Path, oldest: float) -> None:
    for path in folder.iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
