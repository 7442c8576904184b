"""The whole product in one process: real command line, real app, real handlers in threads, no sockets.

It answers as `Installation` does, so that a test can be run both ways.
"""

import asyncio
import contextlib
import io
import json
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

from ktrdr.cli.app import main
from ktrdr.cli.session import Surroundings
from ktrdr.kinds.table import load_kinds
from ktrdr.market_data.store import BarStore
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.operations.engine import Assignment, WorkerEngine
from ktrdr.operations.events import WorkerEvent
from ktrdr.operations.operation import WorkerIdentity
from ktrdr.server.app import create_app
from ktrdr.server.stores.sqlite import SqliteOperationStore
from ktrdr.settings import Settings
from ktrdr.worker.folders import Folders
from ktrdr.worker.runner import run
from support.installation import ROOT, Finished


class _ThreadChannel:
    """A worker's channel whose other end is a queue of the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.said: asyncio.Queue[WorkerEvent | None] = asyncio.Queue()
        self.asked = threading.Event()
        self._loop = loop

    def send(self, event: WorkerEvent | None) -> None:
        self._loop.call_soon_threadsafe(self.said.put_nowait, event)

    def cancelled(self) -> bool:
        return self.asked.is_set()

    def finish(self) -> None:
        """Nothing is abandoned here."""


class ThreadEngine(WorkerEngine):
    """Runs the real runner in a thread an operation."""

    slots = 1

    def __init__(self, folders: Folders, ops: Path) -> None:
        self._folders = folders
        self._ops = ops
        self._channels: dict[str, _ThreadChannel] = {}

    async def run(self, assignment: Assignment) -> AsyncGenerator[WorkerEvent, None]:
        channel = self._channels[assignment.operation_id] = _ThreadChannel(asyncio.get_running_loop())
        message = {
            "operation_id": assignment.operation_id,
            "operation_type": assignment.operation_type,
            "fence": assignment.fence,
            "request": dict(assignment.request),
            "work_folder": str(self._ops / assignment.operation_id / "attempts" / str(assignment.fence)),
            "log_path": self.log_path(assignment.operation_id),
        }
        work = asyncio.create_task(asyncio.to_thread(run, message, channel, self._folders))
        work.add_done_callback(lambda _: channel.said.put_nowait(None))
        while (event := await channel.said.get()) is not None:
            yield event
        yield await work

    async def cancel(self, operation_id: str) -> None:
        self._channels[operation_id].asked.set()

    async def kill(self, operation_id: str) -> None:
        await self.cancel(operation_id)

    async def reap_orphan(self, worker: WorkerIdentity) -> None:
        """A thread cannot outlive its server."""

    def log_path(self, operation_id: str) -> str:
        return str(self._ops / operation_id / "worker.log")

    async def close(self) -> None:
        for channel in self._channels.values():
            channel.asked.set()


class _Bridge(httpx.AsyncBaseTransport):
    """Carries requests into the event loop of the app."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = httpx.ASGITransport(app)
        self._loop = loop

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        future = asyncio.run_coroutine_threadsafe(self._ask(sent), self._loop)
        return await asyncio.wrap_future(future)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)


class OneProcess:
    """Runs commands as a user does, without leaving this process."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport) -> None:
        self.settings = settings
        self.transport = transport
        self._surroundings = Surroundings(settings, transport)

    def run(self, *arguments: str, expect: int | None = 0, folder: Path = ROOT) -> Finished:
        """Run a command to its end, in a folder."""
        out, err, hook = io.StringIO(), io.StringIO(), sys.excepthook
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self._code_of(arguments)
        sys.excepthook = hook
        if expect is not None:
            assert code == expect, f"exit {code}\n{out.getvalue()}\n{err.getvalue()}"
        return Finished(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str) -> Any:
        """Run a command with `--output json` and return what it answered."""
        return json.loads(self.run(*arguments, "--output", "json").stdout)

    def operations(self) -> list[dict[str, Any]]:
        """Return every operation the server knows, newest first."""
        listed: list[dict[str, Any]] = self.json("operations", "list")["operations"]
        return listed

    def _code_of(self, arguments: tuple[str, ...]) -> int:
        try:
            main(list(arguments), self._surroundings)
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0


@contextmanager
def one_process(home: Path) -> Iterator[OneProcess]:
    """Serve a home of its own in a thread until the test is over."""
    settings = Settings.load({"KTRDR_HOME": str(home)})
    settings.state_dir.mkdir(parents=True)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        folders = Folders(settings.data_dir, settings.models_dir, settings.uploads_dir)
        app = create_app(
            SqliteOperationStore(settings.state_dir / "operations.sqlite"),
            ThreadEngine(folders, settings.state_dir / "ops"),
            load_kinds(),
            catalog=ModelCatalog(settings.models_dir),
            bars=BarStore(settings.data_dir),
            uploads=settings.uploads_dir,
        )
        with _served(app, loop):
            yield OneProcess(settings, _Bridge(app, loop))


@contextmanager
def _served(app: Any, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    is_up, is_over = threading.Event(), asyncio.Event()

    async def live() -> None:
        async with app.router.lifespan_context(app):
            is_up.set()
            await is_over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    is_up.wait(60)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(is_over.set)
        thread.join()
