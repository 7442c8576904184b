"""A store whose answers get lost and whose rivals are quicker, and which writes down every commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ktrdr.errors import Unavailable
from ktrdr.operations.events import Event
from ktrdr.operations.operation import Operation
from ktrdr.operations.store import OperationFilter, OperationPage, OperationStore


class Fault(StrEnum):
    """What goes wrong with the next write."""

    NONE = "none"
    REFUSED = "refused"  # an error, and nothing was written
    ERROR_AFTER_COMMIT = "error after commit"
    FALSE_AFTER_COMMIT = "false after commit"
    RIVAL_FIRST = "rival first"  # somebody else writes in between


@dataclass(frozen=True, slots=True)
class Commit:
    """One row that was replaced, and the event on whose behalf."""

    event: Event
    before: Operation
    after: Operation


@dataclass
class UnreliableStore(OperationStore):
    """Passes everything on to `inner`; `fault` spoils the next write and is then forgotten.

    The next `unreadable` questions for what is open fail. While `away` is set no write is taken: it is
    refused or, if `hangs`, has no answer until the store is back.
    """

    inner: OperationStore
    fault: Fault = Fault.NONE
    event: Event | None = None
    rival: Callable[[], Awaitable[None]] | None = None
    commits: list[Commit] = field(default_factory=list)
    spoiled: list[Fault] = field(default_factory=list)
    unreadable: int = 0
    hangs: bool = False
    away: bool = False
    is_back: asyncio.Event = field(default_factory=asyncio.Event)

    async def insert(self, operation: Operation, *, most_pending: int | None = None) -> bool:
        fault = self._take()
        await self._wait_until_back()
        return await self._spoil(fault, await self.inner.insert(operation, most_pending=most_pending))

    async def replace(self, operation: Operation) -> bool:
        fault = self._take()
        await self._wait_until_back()
        if fault is Fault.REFUSED:
            raise Unavailable("the disk is full", retry_after=0.01)
        if fault is Fault.RIVAL_FIRST and self.rival:
            await self.rival()
        before = await self.inner.get(operation.operation_id)
        written = await self.inner.replace(operation)
        if written and before and self.event:
            self.commits.append(Commit(self.event, before, operation))
        return await self._spoil(fault, written)

    async def get(self, operation_id: str) -> Operation | None:
        return await self.inner.get(operation_id)

    async def list(self, wanted: OperationFilter) -> OperationPage:
        page = await self.inner.list(wanted)
        await asyncio.sleep(0)  # others get a turn between a question and what follows from its answer
        return page

    async def open_operations(self) -> Sequence[Operation]:
        if self.unreadable:
            self.unreadable -= 1
            raise Unavailable("the file is locked", retry_after=0.01)
        return await self.inner.open_operations()

    async def close(self) -> None:
        await self.inner.close()

    def come_back(self) -> None:
        self.away = False
        self.is_back.set()

    async def _wait_until_back(self) -> None:
        if self.away and self.hangs:
            await self.is_back.wait()
        elif self.away:
            raise Unavailable("the disk is full", retry_after=0.01)

    def _take(self) -> Fault:
        fault, self.fault = self.fault, Fault.NONE
        if fault is not Fault.NONE:
            self.spoiled.append(fault)
        return fault

    async def _spoil(self, fault: Fault, written: bool) -> bool:
        if fault is Fault.ERROR_AFTER_COMMIT:
            raise Unavailable("the answer was lost", retry_after=0.01)
        return written and fault is not Fault.FALSE_AFTER_COMMIT
