"""Routes of trained models: they belong to the server, so the server shows them."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from ktrdr.model_catalog.catalog import ModelCatalog


def models_router(catalog: ModelCatalog) -> APIRouter:
    """Return the routes that list and show models."""
    router = APIRouter(prefix="/api/v1/models", tags=["models"])

    @router.get("")
    def models() -> dict[str, Any]:
        """Return every model, newest first, and the names of those that cannot be read."""
        found, damaged = catalog.survey()
        return {"success": True, "data": [asdict(each) for each in found], "damaged": damaged}

    @router.get("/{strategy}")
    def newest(strategy: str) -> dict[str, Any]:
        """Return the newest model of a strategy, with all that its training told."""
        return {"success": True, "data": catalog.details(strategy)}

    @router.get("/{strategy}/{run_id}")
    def model(strategy: str, run_id: str) -> dict[str, Any]:
        """Return one model, with all that its training told."""
        return {"success": True, "data": catalog.details(f"{strategy}/{run_id}")}

    return router
