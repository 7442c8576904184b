"""The real app with real workers, spoken to in process."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil

from ktrdr.kinds.table import load_kinds
from ktrdr.market_data.store import BarStore
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.operations.store import OperationStore
from ktrdr.server.app import create_app
from ktrdr.server.engines.local_process import LocalProcessEngine
from ktrdr.server.environment import worker_variables
from ktrdr.server.stores.memory import MemoryOperationStore
from ktrdr.settings import Settings
from support.processes import running

DUMMY = "/api/v1/dummy/start"
TERMINAL = {"completed", "failed", "cancelled"}


class Api:
    """A client of the app, with the waiting every test needs."""

    def __init__(self, http: httpx.AsyncClient, engine: LocalProcessEngine) -> None:
        self.http = http
        self.engine = engine

    async def start(self, key: str | None = None, **payload: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.http.post(DUMMY, json=payload, headers=headers)

    async def started(self, **payload: Any) -> str:
        operation_id: str = (await self.start(**payload)).json()["data"]["operation_id"]
        return operation_id

    async def get(self, operation_id: str, **query: Any) -> dict[str, Any]:
        answer = await self.http.get(f"/api/v1/operations/{operation_id}", params=query)
        operation: dict[str, Any] = answer.json()["data"]
        return operation

    async def until(
        self, operation_id: str, *, steps: int = 0, statuses: set[str] = TERMINAL
    ) -> dict[str, Any]:
        """Follow by long polls until a status is reached, or so many items are done."""
        operation = await self.get(operation_id)
        while operation["status"] not in statuses:
            if steps and operation["progress"]["items_processed"] >= steps:
                break
            operation = await self.get(operation_id, after=operation["cursor"], wait=10)
        return operation

    async def cancel(self, operation_id: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/api/v1/operations/{operation_id}/cancel", json=body)

    def workers(self) -> list[psutil.Process]:
        return running("ktrdr.worker", psutil.Process().children(recursive=True))


@asynccontextmanager
async def running_api(
    home: Path,
    *,
    store: OperationStore | None = None,
    slots: int = 2,
    cancel_grace: float = 10.0,
    token: str | None = None,
) -> AsyncIterator[Api]:
    """Run the app over a home of its own."""
    settings = Settings.load({"KTRDR_HOME": str(home)})
    usual = worker_variables(settings, {**os.environ, "KTRDR_HOME": str(home)})
    engine = LocalProcessEngine(settings.state_dir, lambda _: usual, slots)
    catalog, bars = ModelCatalog(settings.models_dir), BarStore(settings.data_dir)
    kept = store or MemoryOperationStore()
    app = create_app(
        kept,
        engine,
        load_kinds(),
        catalog=catalog,
        bars=bars,
        uploads=settings.uploads_dir,
        cancel_grace=cancel_grace,
        token=token,
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://ktrdr", timeout=60.0) as http,
    ):
        yield Api(http, engine)
