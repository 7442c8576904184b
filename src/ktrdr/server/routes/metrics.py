"""The route that Prometheus reads."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from ktrdr.server.metrics import Metrics


def metrics_router(metrics: Metrics) -> APIRouter:
    """Return the route that serves the metrics as text."""
    router = APIRouter(tags=["health"])

    @router.get("/metrics", response_class=Response)
    async def read() -> Response:
        """Return operations by kind and ending, durations, queue waits and followers, as text."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router
