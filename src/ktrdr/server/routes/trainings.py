"""Routes of training beyond those of every operation."""

from typing import Any

from fastapi import APIRouter

from ktrdr.errors import InputInvalid, NotFound
from ktrdr.operations.operation import OperationStatus
from ktrdr.operations.service import OperationsService

PARTS = ("training_metrics", "validation_metrics", "test_metrics", "baselines", "verdict", "model_info")


def trainings_router(service: OperationsService) -> APIRouter:
    """Return the route that serves how well a training did."""
    router = APIRouter(prefix="/api/v1/trainings", tags=["trainings"])

    @router.get("/{operation_id}/performance")
    async def performance(operation_id: str) -> dict[str, Any]:
        """Return metrics, baselines and the model; what is undefined is null."""
        operation = await service.get(operation_id)
        if operation.operation_type != "training":
            raise NotFound(f"`{operation_id}` is not a training", hint="see `ktrdr operations list`")
        if operation.status is not OperationStatus.COMPLETED or operation.result_summary is None:
            raise InputInvalid(f"training `{operation_id}` is {operation.status}, it has no performance")
        result = operation.result_summary
        return {"success": True, "data": {part: result.get(part) for part in PARTS}}

    return router
