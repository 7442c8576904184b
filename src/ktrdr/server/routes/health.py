"""The handshake: who serves, which build, and whether it is busy."""

from typing import Any

from fastapi import APIRouter

from ktrdr.build import API_VERSION, build_fingerprint
from ktrdr.operations.service import OperationsService
from ktrdr.operations.store import OperationFilter


def health_router(service: OperationsService, pid: int) -> APIRouter:
    """Return the health route of the process `pid`."""
    router = APIRouter(prefix="/api/v1/health", tags=["health"])

    @router.get("")
    async def health() -> dict[str, Any]:
        """Return API version, build and the number of open operations."""
        page = await service.list(OperationFilter(limit=1))
        data = {
            "api_version": API_VERSION,
            "build": build_fingerprint(),
            "pid": pid,
            "active_operations": page.active_count,
        }
        return {"success": True, "data": data}

    return router
