"""The one place where operations change: start, look, cancel, and what workers say."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from ktrdr.clock import Clock
from ktrdr.errors import Conflict, InputInvalid, NotFound, QueueFull
from ktrdr.operations.events import CancelRequested, Event, Progressed
from ktrdr.operations.history import History
from ktrdr.operations.identifier import new_operation_id
from ktrdr.operations.kind import OperationKind
from ktrdr.operations.operation import Operation, OperationStatus
from ktrdr.operations.progress import GenericProgressState
from ktrdr.operations.store import OperationFilter, OperationPage, OperationStore
from ktrdr.operations.transitions import TRANSITIONS, Transition, transition

QUEUE_LIMIT = 100
PROGRESS_WRITE_INTERVAL = 1.0
FARTHEST_PLACE = 1_000_000

Observer = Callable[[Operation | None, Operation], None]


class OperationsService:
    """Applies every event through the transition table and tells those who wait.

    `observe` hears of every change that was stored: the operation before it (None if new) and after it.
    `apply` is the only writer of state. Progress is kept in memory and written at most once a second.
    A store whose answer was lost may have written all the same; then those who wait are told as well.
    """

    def __init__(
        self,
        store: OperationStore,
        kinds: Mapping[str, OperationKind],
        clock: Clock,
        *,
        queue_limit: int = QUEUE_LIMIT,
        table: Sequence[Transition] = TRANSITIONS,
        observe: Observer = lambda _before, _after: None,
    ) -> None:
        self.store = store
        self.clock = clock
        self._kinds = kinds
        self._queue_limit = queue_limit
        self._table = table
        self._observe = observe
        self._progress: dict[str, tuple[int, GenericProgressState]] = {}
        self._written: dict[str, float] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._released = False
        self._history = History(store)
        self._inserting = asyncio.Lock()
        self.changed = asyncio.Event()

    async def start(
        self,
        kind_name: str,
        request: BaseModel,
        operation_id: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> tuple[Operation, bool]:
        """Store a new operation durably and return it with False, or the one of the same key with True.

        `metadata` says who started it and after what.

        Raises InputInvalid if the kind refuses it, Conflict if the key was used for another request, and
        QueueFull if the queue is full.
        """
        kind = self._kinds[kind_name]
        description = await asyncio.to_thread(kind.describe, request)
        new = self._new_operation(
            kind.name,
            request,
            {**(metadata or {}), "description": description, **await self._history.of(kind.name)},
            operation_id or new_operation_id(kind.name),
        )
        stored = await self.store.get(new.operation_id)
        if stored is None:
            if await self._insert_unless_full(new):
                self._observe(None, new)
                self.changed.set()
                return new, False
            stored = await self.get(new.operation_id)
        if stored.fingerprint != new.fingerprint:
            raise Conflict(
                f"operation `{new.operation_id}` was started with a different request",
                hint="use a new Idempotency-Key for a new operation",
            )
        self.changed.set()
        return self._overlay(stored), True

    async def retry(
        self, operation_id: str, new_id: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> tuple[Operation, bool]:
        """Start an operation like one that has ended, as `start` does; else raises InputInvalid."""
        before = await self.get(operation_id)
        kind = self._kinds.get(before.operation_type)
        if kind is None or not kind.repeatable:
            raise InputInvalid(
                f"an operation of kind `{before.operation_type}` cannot be repeated",
                hint="run its command again",
            )
        if not before.is_terminal:
            raise InputInvalid(f"`{operation_id}` is still {before.status}", hint="cancel it, or wait for it")
        request = kind.request_model.model_validate(before.request)
        lineage = {**(metadata or {}), "retry_of": operation_id}
        return await self.start(before.operation_type, request, new_id, lineage)

    async def get(self, operation_id: str) -> Operation:
        """Return the operation with its newest progress; raises NotFound."""
        stored = await self.store.get(operation_id)
        if stored is None:
            raise NotFound(f"there is no operation `{operation_id}`", hint="see `ktrdr operations list`")
        return self._overlay(stored)

    async def list(self, wanted: OperationFilter) -> OperationPage:
        """Return one page of operations, newest first, with their newest progress."""
        page = await self.store.list(wanted)
        return replace(page, operations=tuple(map(self._overlay, page.operations)))

    async def cancel(self, operation_id: str, by: str, reason: str) -> Operation:
        """Ask for the end and return the operation as it then is; a second time changes nothing."""
        await self.get(operation_id)
        return await self.apply(operation_id, CancelRequested(by, reason))

    async def wait(self, operation_id: str, after: tuple[int, int, int], seconds: float) -> Operation:
        """Return the operation as soon as it is newer than `after` or has ended, or after `seconds`."""
        deadline = self.clock.monotonic() + seconds
        await self.get(operation_id)
        while True:
            news = self._news.setdefault(operation_id, asyncio.Event())
            operation = await self.get(operation_id)
            left = deadline - self.clock.monotonic()
            if operation.is_terminal:
                self._news.pop(operation_id, None)
            if operation.cursor > after or operation.is_terminal or left <= 0 or self._released:
                return operation
            await _wait_at_most(news, left)

    def place(self, operation: Operation, place: int) -> None:
        """Tell those who wait for an operation its place in the queue; it is kept in memory only.

        Places only fall, and the report's number rises as they do: a cursor never goes back, also not when
        another server counts them again.
        """
        progress = replace(operation.progress, queue_position=place, seq=FARTHEST_PLACE - place)
        if progress.seq > self._overlay(operation).progress.seq:
            self._progress[operation.operation_id] = (operation.attempt, progress)
            self._tell(operation.operation_id)

    def release(self) -> None:
        """Let everybody who waits for news go, now and from now on: the server stops."""
        self._released = True
        for operation_id in tuple(self._news):
            self._tell(operation_id)

    async def apply(self, operation_id: str, event: Event) -> Operation:
        """Apply an event by compare-and-swap and return the truth afterwards."""
        if isinstance(event, Progressed) and self._is_too_soon(operation_id):
            return await self._keep_in_memory(operation_id, event)
        while True:
            before = await self.get(operation_id)
            after = transition(before, event, self.clock.now(), self._table)
            if after is before:
                return before
            if await self.store.replace(after):
                self._remember(after)
                self._observe(before, after)
                return after
            self._tell(operation_id)

    def _new_operation(
        self, kind_name: str, request: BaseModel, metadata: Mapping[str, Any], operation_id: str
    ) -> Operation:
        canonical = request.model_dump(mode="json")
        text = json.dumps({"kind": kind_name, "request": canonical}, sort_keys=True, allow_nan=False)
        return Operation(
            operation_id=operation_id,
            operation_type=kind_name,
            request=canonical,
            fingerprint=hashlib.sha256(text.encode()).hexdigest(),
            created_at=self.clock.now(),
            progress=GenericProgressState(operation_id=operation_id),
            metadata=metadata,
        )

    async def _insert_unless_full(self, new: Operation) -> bool:
        async with self._inserting:
            await self._refuse_when_full()
            return await self.store.insert(new)

    async def _refuse_when_full(self) -> None:
        pending = OperationFilter(statuses=frozenset({OperationStatus.PENDING}), limit=1)
        if (await self.store.list(pending)).total_count >= self._queue_limit:
            raise QueueFull(
                f"the queue is full ({self._queue_limit} operations are waiting)", retry_after=5.0
            )

    def _overlay(self, stored: Operation) -> Operation:
        attempt, progress = self._progress.get(stored.operation_id, (0, stored.progress))
        if not stored.is_terminal and attempt == stored.attempt and progress.seq > stored.progress.seq:
            return replace(stored, progress=progress)
        return stored

    async def _keep_in_memory(self, operation_id: str, event: Progressed) -> Operation:
        before = await self.get(operation_id)
        after = transition(before, event, self.clock.now(), self._table)
        if after is before or after.progress.seq <= before.progress.seq:
            return before
        self._progress[operation_id] = (before.attempt, event.progress)
        self._tell(operation_id)
        return replace(before, progress=event.progress)

    def _is_too_soon(self, operation_id: str) -> bool:
        written = self._written.get(operation_id, float("-inf"))
        return self.clock.monotonic() - written < PROGRESS_WRITE_INTERVAL

    def _remember(self, operation: Operation) -> None:
        if operation.is_terminal:
            self._progress.pop(operation.operation_id, None)
            self._written.pop(operation.operation_id, None)
            self._history.note(operation)
            self.changed.set()
        else:
            self._written[operation.operation_id] = self.clock.monotonic()
        self._tell(operation.operation_id)

    def _tell(self, operation_id: str) -> None:
        if news := self._news.pop(operation_id, None):
            news.set()


async def _wait_at_most(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
