"""Routes of all operations, whatever their kind."""

import getpass
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from ktrdr.errors import InputInvalid
from ktrdr.operations.dispatcher import Dispatcher
from ktrdr.operations.kind import OperationKind
from ktrdr.operations.operation import OPEN, Operation, OperationStatus, parse_cursor, to_public_dict
from ktrdr.operations.service import OperationsService
from ktrdr.operations.store import OperationFilter
from ktrdr.server.event_streams import EventStreamResponse, EventStreams

LONGEST_WAIT = 30.0
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

Key = Annotated[str | None, Header(alias="Idempotency-Key", pattern=ID_PATTERN)]


class CancelBody(BaseModel):
    """Why the operation should stop, and whether to wait for it to notice."""

    model_config = ConfigDict(extra="forbid")

    reason: str = "requested"
    force: bool = False


class OperationsRoutes:
    """The generic routes over one service and dispatcher."""

    def __init__(self, service: OperationsService, dispatcher: Dispatcher) -> None:
        self._service = service
        self._dispatcher = dispatcher
        self.streams = EventStreams(service, self._shape)
        self.router = APIRouter(prefix="/api/v1/operations", tags=["operations"])
        self.router.add_api_route("", self.list, methods=["GET"])
        self.router.add_api_route("/{operation_id}", self.get, methods=["GET"])
        self.router.add_api_route("/{operation_id}/events", self.events, methods=["GET"])
        self.router.add_api_route("/{operation_id}/cancel", self.cancel, methods=["POST"])
        self.router.add_api_route("/{operation_id}/retry", self.retry, methods=["POST"], status_code=202)
        self.router.add_api_route("/{operation_id}", self.cancel_by_delete, methods=["DELETE"])

    async def list(
        self,
        status: OperationStatus | None = None,
        operation_type: str | None = None,
        active_only: bool = False,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    ) -> dict[str, Any]:
        """Return operations, newest first."""
        statuses = frozenset({status}) if status else OPEN if active_only else frozenset()
        page = await self._service.list(OperationFilter(statuses, operation_type, limit, offset))
        return {
            "success": True,
            "data": await self._shapes(page.operations),
            "total_count": page.total_count,
            "active_count": page.active_count,
        }

    async def get(
        self,
        operation_id: str,
        after: str | None = None,
        wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0.0,
    ) -> dict[str, Any]:
        """Return the operation, at once or when there is news after a cursor."""
        if after is None:
            operation = await self._service.get(operation_id)
        else:
            operation = await self._service.wait(operation_id, _cursor(after), wait)
        return await self._answer(operation)

    async def events(self, operation_id: str) -> EventStreamResponse:
        """Stream the operation as it is and as it becomes, until it has ended (`text/event-stream`)."""
        await self._service.get(operation_id)
        return EventStreamResponse(self.streams, operation_id)

    async def cancel(
        self, operation_id: str, response: Response, body: CancelBody | None = None
    ) -> dict[str, Any]:
        """Ask for the end: 202 while it is cancelling, 200 when it has ended already."""
        asked = body or CancelBody()
        operation = await self._dispatcher.cancel(operation_id, _user(), asked.reason, force=asked.force)
        response.status_code = 200 if operation.is_terminal else 202
        return await self._answer(operation)

    async def cancel_by_delete(self, operation_id: str, response: Response) -> dict[str, Any]:
        """Ask for the end, as `cancel` does."""
        return await self.cancel(operation_id, response)

    async def retry(self, operation_id: str, request: Request, idempotency_key: Key = None) -> JSONResponse:
        """Start a new operation like one that has ended."""
        started = await self._service.retry(operation_id, idempotency_key, _provenance(request))
        return _started(request, *started)

    async def _answer(self, operation: Operation) -> dict[str, Any]:
        return {"success": True, "data": await self._shape(operation)}

    async def _shape(self, operation: Operation) -> dict[str, Any]:
        (shape,) = await self._shapes([operation])
        return shape

    async def _shapes(self, operations: Sequence[Operation]) -> Sequence[dict[str, Any]]:
        return [to_public_dict(each, self._service.clock.now()) for each in operations]


def start_route(service: OperationsService, kind: OperationKind) -> Callable[..., Awaitable[JSONResponse]]:
    """Return the start route of one kind; the kind's request model validates the body."""

    async def start(
        request: Request,
        body: BaseModel,
        idempotency_key: Key = None,
    ) -> JSONResponse:
        started = await service.start(kind.name, body, idempotency_key, _provenance(request))
        return _started(request, *started)

    start.__annotations__["body"] = kind.request_model
    start.__doc__ = f"Start an operation of kind `{kind.name}`."
    return start


def _started(request: Request, operation: Operation, replayed: bool) -> JSONResponse:
    headers = {"Location": str(request.url_for("get", operation_id=operation.operation_id).path)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    data = {"operation_id": operation.operation_id, "status": operation.status.value}
    return JSONResponse({"success": True, "data": data}, 200 if replayed else 202, headers=headers)


def _provenance(request: Request) -> dict[str, str]:
    """Return who starts an operation, and the trace it is part of if the client says one that can be read.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header
    """
    trace = request.headers.get("traceparent", "")
    return {"started_by": _user()} | ({"traceparent": trace} if TRACEPARENT.fullmatch(trace) else {})


def _user() -> str:
    """Return who this server works for; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _cursor(text: str) -> tuple[int, int, int]:
    try:
        return parse_cursor(text)
    except ValueError:
        raise InputInvalid(
            f"`{text[:40]}` is not a cursor", hint="use the `cursor` of an operation"
        ) from None
