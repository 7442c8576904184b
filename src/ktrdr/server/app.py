"""The one place where store, engine and service are wired."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from ktrdr import __version__
from ktrdr.clock import Clock, SystemClock
from ktrdr.market_data.store import BarStore
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.operations.dispatcher import Dispatcher
from ktrdr.operations.engine import WorkerEngine
from ktrdr.operations.kind import OperationKind
from ktrdr.operations.service import OperationsService
from ktrdr.operations.store import OperationStore
from ktrdr.server import problems
from ktrdr.server.access.tokens import TokenGuard
from ktrdr.server.guards import RequestGuards
from ktrdr.server.metrics import Metrics
from ktrdr.server.routes.data import data_router
from ktrdr.server.routes.health import health_router
from ktrdr.server.routes.kinds import kinds_router
from ktrdr.server.routes.logs import logs_router
from ktrdr.server.routes.metrics import metrics_router
from ktrdr.server.routes.models import models_router
from ktrdr.server.routes.operations import OperationsRoutes, start_route
from ktrdr.server.routes.trainings import trainings_router
from ktrdr.server.routes.uploads import UPLOADS_PATH, uploads_router

LAST_LOOK = 0.5  # seconds in which followers, told of an end, can still read what it was


def create_app(
    store: OperationStore,
    engine: WorkerEngine,
    kinds: Mapping[str, OperationKind],
    *,
    catalog: ModelCatalog,
    bars: BarStore,
    uploads: Path,
    clock: Clock | None = None,
    cancel_grace: float = 10.0,
    token: str | None = None,
) -> FastAPI:
    """Return the API over a store, an engine, the kinds it serves and what it keeps.

    With a token, whoever comes by a port has to show it.
    """
    metrics = Metrics(lambda: dispatcher.running, lambda: operations.streams.followers)
    service = OperationsService(store, kinds, clock or SystemClock(), observe=metrics.observe)
    dispatcher = Dispatcher(
        service, engine, cancel_grace=cancel_grace, observe_latency=metrics.observe_latency
    )
    operations = OperationsRoutes(service, dispatcher)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        async with dispatcher:
            yield
        await store.close()

    app = FastAPI(
        title="ktrdr",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        default_response_class=problems.ReadableJSON,
    )
    app.add_middleware(RequestGuards, unlimited=frozenset({UPLOADS_PATH}))
    if token is not None:
        app.add_middleware(TokenGuard, token=token)

    async def drain() -> None:
        is_followed = operations.streams.followers > 0
        await dispatcher.drain()
        operations.streams.close()
        service.release()
        await asyncio.sleep(LAST_LOOK if is_followed else 0.0)

    app.state.drain = drain
    problems.install(app)
    for kind in kinds.values():
        app.add_api_route(kind.start_path, start_route(service, kind), methods=["POST"], status_code=202)
    app.include_router(operations.router)
    app.include_router(logs_router(service, engine.log_path))
    app.include_router(kinds_router(kinds))
    app.include_router(trainings_router(service))
    app.include_router(models_router(catalog))
    app.include_router(data_router(bars))
    app.include_router(uploads_router(uploads, service.clock))
    app.include_router(health_router(service, os.getpid()))
    app.include_router(metrics_router(metrics))
    return app
