"""Answers as clients can read them, and one table from error to HTTP problem document (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import PydanticSerializationError, to_json
from starlette.exceptions import HTTPException

from ktrdr.disk_space import disk_full, is_disk_full
from ktrdr.errors import (
    Conflict,
    DiskFull,
    InputInvalid,
    KtrdrError,
    NotFound,
    QueueFull,
    StoreDamaged,
    Unavailable,
)
from ktrdr.invalid_fields import field_sentences, sentence

STATUS: Mapping[type[KtrdrError], tuple[int, str]] = {
    InputInvalid: (422, "The request cannot be done as asked"),
    NotFound: (404, "Not found"),
    Conflict: (422, "The key was used for another request"),
    QueueFull: (429, "The queue is full"),
    DiskFull: (507, "There is no room"),
    StoreDamaged: (500, "What is stored of operations is damaged"),
    Unavailable: (503, "Not now"),
    KtrdrError: (500, "The server failed"),
}


class ReadableJSON(JSONResponse):
    """JSON that can always be written and read: what is not finite is null, half a character its escape."""

    def render(self, content: object) -> bytes:
        """Return the document in UTF-8, or in ASCII where its text cannot be written so."""
        try:
            return to_json(content, inf_nan_mode="null")
        except PydanticSerializationError:
            return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def install(app: FastAPI) -> None:
    """Make every error of the app answer with a problem document."""
    app.add_exception_handler(KtrdrError, _ktrdr_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OSError, _os_error)
    app.add_exception_handler(500, _unexpected_error)


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    hint: str | None = None,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return one problem document."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "hint": hint,
        "errors": list(errors),
    }
    return ReadableJSON(body, status, headers=headers, media_type="application/problem+json")


async def _ktrdr_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, KtrdrError):
        raise error
    row = next(parent for parent in type(error).__mro__ if parent in STATUS)
    status, title = STATUS[row]
    headers = {"Retry-After": f"{error.retry_after:.0f}"} if isinstance(error, Unavailable) else None
    detail = "\n".join((error.message, *error.detail))
    return problem(status, title, detail, hint=error.hint, headers=headers)


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = field_sentences(error.errors(), skipped=1)
    return problem(422, "The request is not valid", sentence(errors), errors=errors)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return problem(error.status_code, str(error.detail), str(error.detail), headers=error.headers)


async def _os_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, OSError) or not is_disk_full(error):
        raise error
    where = Path(error.filename or "/")
    return await _ktrdr_error(request, disk_full(where, None, error.strerror or ""))


async def _unexpected_error(_: Request, error: Exception) -> JSONResponse:
    detail = f"an unexpected {type(error).__name__}; the server's log has the details"
    return problem(500, "The server failed", detail, hint="see `ktrdr server logs`")
