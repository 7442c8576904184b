"""Random lives of operations, over both stores, with lost answers, rivals and workers that speak too late.

The judge knows nothing of the transition table: it reads what was committed and holds it against the
contract's promises. Each guard of the table is removed in turn, and the judge must notice.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from ktrdr.errors import Unavailable
from ktrdr.operations import events
from ktrdr.operations.operation import Operation, OperationStatus, WorkerIdentity
from ktrdr.operations.progress import GenericProgressState
from ktrdr.operations.service import OperationsService
from ktrdr.operations.store import OperationStore
from ktrdr.operations.transitions import TRANSITIONS, Transition, fence_matches, flag_not_set
from ktrdr.server.stores.memory import MemoryOperationStore
from ktrdr.server.stores.sqlite import SqliteOperationStore
from support.operations import KINDS, LOST, WRONG, CountRequest, StillClock
from support.unreliable_store import Commit, Fault, UnreliableStore

Make = Callable[[int, int], events.WorkerEvent]

SPEAK: dict[str, Make] = {
    "started": lambda fence, n: events.Started(fence, WorkerIdentity("host", n, 1.5)),
    "progressed": lambda fence, n: events.Progressed(fence, GenericProgressState(seq=n, percentage=50.0)),
    "checkpointed": lambda fence, n: events.Checkpointed(fence, f"epoch-{n}"),
    "succeeded": lambda fence, n: events.Succeeded(fence, {"counted": n}),
    "failed": lambda fence, _: events.Failed(fence, WRONG),
    "cancelled": lambda fence, _: events.Cancelled(fence),
    "lease lost": lambda fence, _: events.LeaseLost(fence, LOST),
}
NEWS = ("started", "progressed", "checkpointed")
ENDS = ("succeeded", "failed", "cancelled", "lease lost")
STALE = st.sampled_from((1, 2, -1))
LONGEST_AFTERLIFE = 3
FAULTS = st.sampled_from((*(Fault.NONE,) * 3, *Fault, Fault.RIVAL_FIRST))


def judge(commit: Commit) -> None:
    """Hold one commit against what the contract promises, without its table."""
    before, after, event = commit.before, commit.after, commit.event
    assert not before.is_terminal, "a terminal row is frozen"
    assert after.version == before.version + 1, "a version counts the durable writes"
    assert after.cursor > before.cursor, "a cursor never goes back"
    assert after.fence >= before.fence, "a fence never decreases"
    if isinstance(event, events.WorkerEvent):
        assert event.fence == before.fence, "only the holder of the fence is heard"
    if isinstance(event, events.Forced):
        assert before.cancel_requested, "force without a flag does nothing"
    if before.cancel_requested:
        assert after.cancel_requested == before.cancel_requested, "who asked first is remembered"
    judge_ending(commit)


def judge_ending(commit: Commit) -> None:
    """Hold the end of an operation against what the contract promises."""
    flag = commit.after.cancel_requested
    if commit.after.status is OperationStatus.FAILED:
        assert flag is None, "what was asked to stop never fails"
    if commit.after.status is OperationStatus.CANCELLED:
        assert flag is not None, "nothing is cancelled unasked"
    if commit.after.status is OperationStatus.COMPLETED:
        assert isinstance(commit.event, events.Succeeded), "only success completes"
        assert commit.after.result_summary == commit.event.result


@dataclass
class World:
    """What outlives one random life: the store, the loop, the table, and how often what was rare happened."""

    store: OperationStore
    runner: asyncio.Runner
    table: Sequence[Transition] = TRANSITIONS
    seen: Counter[str] = field(default_factory=Counter)


class Lives(RuleBasedStateMachine):
    """Drives the service; every commit and every answer is judged at once."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.store = UnreliableStore(world.store)
        self.clock = StillClock()
        self.count = 0
        self.endings: Counter[tuple[str, int]] = Counter()
        self.cursor = (0, 0, 0)
        self.store.rival = self._cancel_as_a_rival

    @initialize(
        fault=st.sampled_from((Fault.NONE, Fault.ERROR_AFTER_COMMIT, Fault.FALSE_AFTER_COMMIT)),
        eager=st.sampled_from((True, True, True, False)),
    )
    def start(self, fault: Fault, eager: bool) -> None:
        self.service = self._service()
        self.eager = eager
        self._start(fault)

    @rule(fault=FAULTS)
    def claim(self, fault: Fault) -> None:
        self._happen(events.Claimed(), fault)

    @rule(news=st.sampled_from(NEWS), fault=FAULTS)
    def speak(self, news: str, fault: Fault) -> None:
        self._happen(self._said(news, 0), fault)

    @rule(end=st.sampled_from(ENDS), fault=FAULTS)
    def end(self, end: str, fault: Fault) -> None:
        self._happen(self._said(end, 0), fault)

    @rule(what=st.sampled_from((*NEWS, *ENDS)), stale=STALE)
    def speak_without_the_lease(self, what: str, stale: int) -> None:
        before = self._shown()
        self.world.seen["stale fence"] += stale > 0 and before.status is OperationStatus.RUNNING
        self._attempt(self._said(what, stale), Fault.NONE)
        assert self._shown() == before, "only the holder of the fence is heard"
        self._judge()
        self._live_on()

    @rule(by=st.sampled_from(("alice", "bob")), fault=FAULTS)
    def cancel(self, by: str, fault: Fault) -> None:
        if self._stored().status is OperationStatus.RUNNING:
            self.world.seen["cancel while running"] += 1
        self._happen(events.CancelRequested(by, "too slow"), fault)

    @rule(fault=FAULTS)
    def force(self, fault: Fault) -> None:
        if self._stored().status is OperationStatus.RUNNING and not self._stored().cancel_requested:
            self.world.seen["forced without a flag"] += 1
        self._happen(events.Forced(), fault)

    @rule(seconds=st.sampled_from((0.25, 2.0)))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        """A new server settles what was running before it answers anybody."""
        self.service = self._service()
        self.world.seen["restart"] += 1
        if self._stored().status is OperationStatus.RUNNING:
            self._happen(events.LeaseLost(self._stored().fence, LOST), Fault.NONE)

    def _said(self, what: str, stale: int) -> events.WorkerEvent:
        self.count += 1
        return SPEAK[what](self._stored().fence - stale, self.count)

    def _happen(self, event: events.Event, fault: Fault) -> None:
        """Let an event happen, and again if the answer was lost, as whoever sent it would."""
        self._attempt(event, fault)
        answer = self._attempt(event, Fault.NONE) if self.store.spoiled else None
        if answer and answer.is_terminal:
            assert answer == self._stored(), "the truth is read back"
        self._judge()
        self._live_on()

    def _live_on(self) -> None:
        """Begin another life when enough has been tried on one that has ended."""
        self.afterlife += self._stored().is_terminal
        self.world.seen["after the end"] += self.afterlife > 1
        if self.afterlife > LONGEST_AFTERLIFE:
            self._start(Fault.NONE)

    def _attempt(self, event: events.Event, fault: Fault) -> Operation | None:
        self.store.event, self.store.fault = event, fault
        try:
            self.world.runner.run(self._apply(event))
        except Unavailable:
            return None
        finally:
            self.store.fault = Fault.NONE
        return self._shown()

    async def _apply(self, event: events.Event) -> None:
        await self.service.apply(self.operation_id, event)
        await self.service.keep_up()

    def _judge(self) -> None:
        self.world.seen.update(each.value for each in self.store.spoiled)
        for commit in self.store.commits:
            judge(commit)
            self.endings[self.operation_id, commit.before.fence] += commit.after.is_terminal
        assert max(self.endings.values(), default=0) <= 1, "one winner per fence"
        self.store.spoiled.clear()
        self.store.commits.clear()
        self._follow()

    def _follow(self) -> None:
        shown = self._shown()
        assert shown.cursor >= self.cursor, "a follower's cursor never goes back"
        self.cursor = shown.cursor

    async def _cancel_as_a_rival(self) -> None:
        mine, self.store.event = self.store.event, events.CancelRequested("rival", "quicker")
        await self._service().apply(self.operation_id, self.store.event)
        self.store.event = mine

    def _service(self) -> OperationsService:
        return OperationsService(self.store, KINDS, self.clock, queue_limit=1_000_000, table=self.world.table)

    def _start(self, fault: Fault) -> None:
        """Start with a key of its own; a lost answer is asked for again with the same key."""
        self.world.seen["started"] += 1
        key = f"op_count_{self.world.seen['started']:012d}"
        self.operation_id, self.cursor, self.afterlife = key, (0, 0, 0), 0
        self.service.changed.clear()
        self.store.fault = fault
        try:
            self.world.runner.run(self.service.start("count", CountRequest(), key))
        except Unavailable:
            _, replayed = self.world.runner.run(self.service.start("count", CountRequest(), key))
            assert replayed, "a lost answer starts nothing twice"
        self.store.spoiled.clear()
        assert self.service.changed.is_set(), "whoever dispatches is told"
        if self.eager:
            self._attempt(events.Claimed(), Fault.NONE)
            self._judge()

    def _shown(self) -> Operation:
        return self.world.runner.run(self.service.get(self.operation_id))

    def _stored(self) -> Operation:
        stored = self.world.runner.run(self.world.store.get(self.operation_id))
        assert stored
        return stored


def live(world: World, examples: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=25,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Lives(world), settings=chosen)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path: Path) -> Iterator[OperationStore]:
    made = MemoryOperationStore() if request.param == "memory" else SqliteOperationStore(tmp_path / "ops.db")
    yield made
    runner.run(made.close())


RARE = {
    "stale fence": 40,
    "after the end": 100,
    "cancel while running": 40,
    "forced without a flag": 20,
    "restart": 50,
    Fault.REFUSED.value: 20,
    Fault.ERROR_AFTER_COMMIT.value: 20,
    Fault.FALSE_AFTER_COMMIT.value: 20,
    Fault.RIVAL_FIRST.value: 20,
}


def test_no_life_breaks_a_promise_and_rare_situations_were_met(
    store: OperationStore, runner: asyncio.Runner
) -> None:
    world = World(store, runner)
    live(world, 150)
    assert {name: world.seen[name] for name, least in RARE.items() if world.seen[name] < least} == {}


def without(row: Transition, guard: int) -> list[Transition]:
    """Return the table with one guard of one row gone, that row first so that no other hides it."""
    weaker = replace(row, guards=row.guards[:guard] + row.guards[guard + 1 :])
    return [weaker, *(each for each in TRANSITIONS if each is not row)]


GUARDS = [
    pytest.param(row, number, id=f"{row.number}-{guard.__name__}")
    for row in TRANSITIONS
    for number, guard in enumerate(row.guards)
]


def promise_of(row: Transition, guard: int) -> str:
    """Return what the judge says when this guard is gone."""
    if row.guards[guard] is fence_matches:
        return "only the holder of the fence is heard"
    if row.guards[guard] is flag_not_set:
        return "who asked first is remembered" if row.number == "T9" else "what was asked to stop never fails"
    return "force without a flag does nothing" if row.number == "T13" else "nothing is cancelled unasked"


@pytest.mark.parametrize(("row", "guard"), GUARDS)
def test_every_guard_is_missed_when_it_is_gone(row: Transition, guard: int, runner: asyncio.Runner) -> None:
    world = World(MemoryOperationStore(), runner, without(row, guard))
    with pytest.raises(AssertionError, match=promise_of(row, guard)):
        live(world, 5000)


def test_the_table_may_stand_in_any_order(runner: asyncio.Runner) -> None:
    live(World(MemoryOperationStore(), runner, TRANSITIONS[::-1]), 40)
