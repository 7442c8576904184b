"""The one place where operations change: start, look, cancel, and what workers say."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel

from ktrdr.clock import Clock
from ktrdr.errors import Conflict, NotFound, Unavailable
from ktrdr.operations.events import CancelRequested, Event, Progressed
from ktrdr.operations.history import History, as_usual
from ktrdr.operations.identifier import new_operation_id
from ktrdr.operations.kind import OperationKind
from ktrdr.operations.operation import Operation
from ktrdr.operations.running.admission import pending_operation, request_again
from ktrdr.operations.running.news import News, wait_at_most
from ktrdr.operations.running.progress_cache import ProgressCache
from ktrdr.operations.running.unstored import Happening, Unstored
from ktrdr.operations.store import OperationFilter, OperationPage, OperationStore
from ktrdr.operations.transitions import TRANSITIONS, Transition, row_of, transition

QUEUE_LIMIT = 100
STORE_PATIENCE = 0.5
FARTHEST_PLACE = 1_000_000

Observer = Callable[[Operation | None, Operation], None]


class OperationsService:
    """Applies every event through the transition table and tells those who wait.

    `observe` hears of every change that was stored: the operation before it (None if new) and after it.
    `apply` and `keep_up` are the only writers of state. Progress is told from memory, and so is an event that
    may wait and that the store did not take within `store_patience` seconds: `keep_up` stores both, and is to
    be called once a second while `behind` is set.
    """

    def __init__(
        self,
        store: OperationStore,
        kinds: Mapping[str, OperationKind],
        clock: Clock,
        *,
        queue_limit: int = QUEUE_LIMIT,
        store_patience: float = STORE_PATIENCE,
        table: Sequence[Transition] = TRANSITIONS,
        observe: Observer = lambda _before, _after: None,
    ) -> None:
        self.clock = clock
        self.changed = asyncio.Event()
        self.behind = asyncio.Event()
        self._store = store
        self._kinds = kinds
        self._queue_limit = queue_limit
        self._patience = store_patience
        self._table = table
        self._observe = observe
        self._progress = ProgressCache()
        self._unstored = Unstored(table)
        self._news = News()
        self._history = History(store)

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
        new = pending_operation(
            operation_id or new_operation_id(kind.name),
            kind.name,
            request,
            {**(metadata or {}), "description": description, **await self._history.of(kind.name)},
            self.clock.now(),
        )
        if await self._store.insert(new, most_pending=self._queue_limit):
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
        return stored, True

    async def retry(
        self, operation_id: str, new_id: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> tuple[Operation, bool]:
        """Start an operation like one that has ended, as `start` does; else raises InputInvalid."""
        before = await self.get(operation_id)
        request = request_again(before, self._kinds.get(before.operation_type))
        lineage = {**(metadata or {}), "retry_of": operation_id}
        return await self.start(before.operation_type, request, new_id, lineage)

    async def get(self, operation_id: str) -> Operation:
        """Return the operation with all that is known of it; raises NotFound."""
        return self._known(await self._read(operation_id))

    async def list(self, wanted: OperationFilter) -> OperationPage:
        """Return one page of operations, newest first, with all that is known of them."""
        page = await self._store.list(wanted)
        return replace(page, operations=tuple(map(self._known, page.operations)))

    async def open_operations(self) -> Sequence[Operation]:
        """Return every operation that has not ended, oldest first, with all that is known of them."""
        known = map(self._known, await self._store.open_operations())
        return [each for each in known if not each.is_terminal]

    async def cancel(self, operation_id: str, by: str, reason: str) -> Operation:
        """Ask for the end and return the operation as it then is; a second time changes nothing."""
        return await self.apply(operation_id, CancelRequested(by, reason))

    async def wait(self, operation_id: str, after: tuple[int, int, int], seconds: float) -> Operation:
        """Return the operation as soon as it is newer than `after` or has ended, or after `seconds`."""
        deadline = self.clock.monotonic() + seconds
        while True:
            news = self._news.awaited(operation_id)
            operation = await self.get(operation_id)
            left = deadline - self.clock.monotonic()
            if operation.cursor > after or operation.is_terminal or left <= 0 or self._news.released:
                return operation
            await wait_at_most(news, left)

    def place(self, operation: Operation, place: int) -> None:
        """Tell those who wait for an operation its place in the queue; it is kept in memory only.

        Places only fall, and the report's number rises as they do: a cursor never goes back, also not when
        another server counts them again.
        """
        progress = replace(operation.progress, queue_position=place, seq=FARTHEST_PLACE - place)
        if self._progress.keep(operation, progress):
            self._news.tell(operation.operation_id)

    def release(self) -> None:
        """Let everybody who waits for news go, now and from now on: the server stops."""
        self._news.release()

    async def apply(self, operation_id: str, event: Event) -> Operation:
        """Apply an event and return the operation as it then is.

        Raises Unavailable if the store cannot take an event that may not wait; trying again is safe.
        """
        happening = Happening(event, self.clock.now())
        known = await self.get(operation_id)
        row = row_of(known, event, self._table)
        if row is None:
            return known
        if isinstance(event, Progressed):
            return self._report(known, as_usual(known, event))
        if not row.may_wait:
            return await self._settle(operation_id, happening)
        try:
            async with asyncio.timeout(self._patience):
                return await self._settle(operation_id, happening)
        except (Unavailable, TimeoutError):
            self._unstored.keep(operation_id, happening)
            self._fall_behind(operation_id)
            return await self.get(operation_id)

    async def keep_up(self) -> None:
        """Store what could not be stored before, and the newest progress; stop where that is refused."""
        self.behind.clear()
        try:
            for operation_id in self._unstored.operations:
                await self._write_unstored(operation_id)
            for operation_id, report in tuple(self._progress.due.items()):
                await self._write(operation_id, Happening(report, self.clock.now()))
                self._progress.outdated(operation_id, report)
        except Unavailable:
            self.behind.set()

    def _report(self, known: Operation, event: Progressed) -> Operation:
        if not self._progress.report(known, event):
            return known
        self.behind.set()
        self._news.tell(known.operation_id)
        return replace(known, progress=event.progress)

    async def _settle(self, operation_id: str, happening: Happening) -> Operation:
        """Write an event after those that wait; raises Unavailable."""
        await self._write_unstored(operation_id)
        return await self._write(operation_id, happening)

    async def _write_unstored(self, operation_id: str) -> None:
        while happening := self._unstored.first(operation_id):
            await self._write(operation_id, happening)
            self._unstored.written(operation_id, happening)

    async def _write(self, operation_id: str, happening: Happening) -> Operation:
        """Write an event by compare-and-swap and return the truth afterwards."""
        while True:
            stored = await self._read(operation_id)
            before = self._progress.over(stored)
            after = transition(before, happening.event, happening.at, self._table)
            if after is before:
                self._note(stored)
                return self._known(before)
            try:
                is_written = await self._store.replace(after)
            except Unavailable:
                self._fall_behind(operation_id)
                raise
            if is_written:
                self._remember(before, after)
                return self._known(after)
            self._news.tell(operation_id)

    def _fall_behind(self, operation_id: str) -> None:
        """Say that an operation is not stored as it is; whoever waits looks again, as it may be stored."""
        self._unstored.refused(operation_id)
        self.behind.set()
        self._news.tell(operation_id)

    def _remember(self, before: Operation, after: Operation) -> None:
        self._note(after)
        if after.is_terminal:
            self._history.note(after)
        self._observe(before, after)
        self._news.tell(after.operation_id)

    def _note(self, stored: Operation) -> None:
        self._unstored.taken(stored.operation_id)
        self._progress.stored(stored)
        if stored.is_terminal:
            self.changed.set()

    async def _read(self, operation_id: str) -> Operation:
        stored = await self._store.get(operation_id)
        if stored is None:
            raise NotFound(f"there is no operation `{operation_id}`", hint="see `ktrdr operations list`")
        return stored

    def _known(self, stored: Operation) -> Operation:
        return self._unstored.over(self._progress.over(stored))
