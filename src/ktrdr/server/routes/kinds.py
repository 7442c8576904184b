"""Routes that describe the kinds of operations."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from ktrdr.operations.kind import OperationKind


def kinds_router(kinds: Mapping[str, OperationKind]) -> APIRouter:
    """Return the route that lists every kind with its paths and schemas."""
    router = APIRouter(prefix="/api/v1/operation-kinds", tags=["operations"])

    @router.get("")
    async def operation_kinds() -> dict[str, Any]:
        """Return every kind: name, start path, JSON schema of request and result."""
        return {"success": True, "data": [_shape(kind) for kind in kinds.values()]}

    return router


def _shape(kind: OperationKind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "start_path": kind.start_path,
        "request_schema": kind.request_model.model_json_schema(),
        "result_schema": kind.result_model.model_json_schema(),
        "resumable": kind.resumable,
    }
