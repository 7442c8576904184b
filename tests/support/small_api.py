"""The real app over a store of the test's own, with work inside this very loop, spoken to in process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

from ktrdr.kinds.table import load_kinds
from ktrdr.market_data.store import BarStore
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.operations.context import OperationContext
from ktrdr.operations.engine import Assignment
from ktrdr.operations.store import OperationStore
from ktrdr.server.app import create_app
from ktrdr.server.engines.inline import InlineEngine, Work


async def until_cancelled(_: Assignment, context: OperationContext) -> Mapping[str, Any]:
    """Work that has no end of its own."""
    while True:
        context.check()
        await asyncio.sleep(0)


@asynccontextmanager
async def small_api(
    home: Path, store: OperationStore, work: Work = until_cancelled, slots: int = 1
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve until the test is over."""
    app = create_app(
        store,
        InlineEngine(work, home, slots=slots),
        load_kinds(),
        catalog=ModelCatalog(home),
        bars=BarStore(home),
        uploads=home / "uploads",
    )
    transport = httpx.ASGITransport(app)
    async with (
        asyncio.timeout(60.0),
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://ktrdr", timeout=60.0) as http,
    ):
        yield http


async def until(http: httpx.AsyncClient, operation_id: str, *statuses: str) -> dict[str, Any]:
    """Follow by long polls until a status is reached."""
    path = f"/api/v1/operations/{operation_id}"
    operation: dict[str, Any] = (await http.get(path)).json()["data"]
    while operation["status"] not in statuses:
        news = await http.get(path, params={"after": operation["cursor"], "wait": 10})
        operation = news.json()["data"]
    return operation
