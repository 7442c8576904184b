"""What is usual of a kind is the middle of its last five runs, read once and then remembered."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import pytest

from ktrdr.operations.events import Claimed, Progressed
from ktrdr.operations.history import History, as_usual
from ktrdr.operations.operation import Operation, OperationStatus
from ktrdr.operations.progress import GenericProgressState, PhaseProgress
from ktrdr.operations.service import OperationsService
from ktrdr.server.stores.memory import MemoryOperationStore
from support.operations import KINDS, NOW, CountRequest, StillClock, an_operation

pytestmark = pytest.mark.anyio


def ran(
    number: int,
    seconds: float,
    status: OperationStatus = OperationStatus.COMPLETED,
    phases: Mapping[str, float] = MappingProxyType({}),
) -> Operation:
    ended = NOW + timedelta(seconds=seconds)
    told = tuple(PhaseProgress(name, percentage=100.0, elapsed_seconds=took) for name, took in phases.items())
    return an_operation(
        f"op_count_{number}",
        status=status,
        started_at=NOW,
        completed_at=ended,
        progress=GenericProgressState(phases=told),
    )


async def test_it_is_the_median_of_the_last_five_that_completed() -> None:
    store = MemoryOperationStore()
    for number, seconds in enumerate((900.0, 1.0, 2.0, 3.0, 4.0, 5.0)):
        await store.insert(ran(number, seconds))
    await store.insert(ran(9, 700.0, OperationStatus.FAILED))
    assert await History(store).of("count") == {"usual_seconds": 3.0}
    assert await History(store).of("dummy") == {}


async def test_what_ends_later_is_remembered_without_asking_again() -> None:
    store = MemoryOperationStore()
    history = History(store)
    assert await history.of("count") == {}
    history.note(ran(1, 8.0))
    history.note(ran(2, 99.0, OperationStatus.CANCELLED))
    history.note(an_operation(status=OperationStatus.COMPLETED, operation_type="other"))
    assert await history.of("count") == {"usual_seconds": 8.0}


async def test_one_that_never_began_took_no_time() -> None:
    store = MemoryOperationStore()
    await store.insert(an_operation(status=OperationStatus.COMPLETED))
    assert await History(store).of("count") == {"usual_seconds": 0.0}


async def test_each_phase_has_its_median_over_those_that_went_through_the_same() -> None:
    store = MemoryOperationStore()
    for number, phases in enumerate(
        (
            {"Read": 9.0, "Store": 9.0},
            {"Bars": 1.0, "Training": 50.0},
            {"Bars": 3.0, "Training": 90.0},
            {"Bars": 2.0, "Training": 70.0},
            {"Bars": 2.0, "Training": 0.0},
        )
    ):
        await store.insert(ran(number, 100.0, phases=phases))
    usual = (await History(store).of("count"))["usual_phases"]
    assert usual == {"Bars": 2.0, "Training": 70.0}


async def test_a_dry_run_does_not_make_forgotten_what_training_takes() -> None:
    store = MemoryOperationStore()
    await store.insert(ran(1, 100.0, phases={"Bars": 1.0, "Features": 2.0, "Training": 97.0}))
    await store.insert(ran(2, 3.0, phases={"Bars": 1.5, "Features": 1.5}))
    usual = (await History(store).of("count"))["usual_phases"]
    assert usual == {"Bars": 1.0, "Features": 2.0, "Training": 97.0}


@pytest.mark.parametrize(
    ("usual", "percentage"),
    [({"Bars": 1.0, "Training": 999.0}, 0.2), ({"Bars": 1.0}, 15.0), ({}, 15.0), (None, 15.0)],
)
def test_a_thousandth_of_the_epochs_is_a_thousandth_of_the_whole_where_trainings_are_known_to_be_long(
    usual: Mapping[str, float] | None, percentage: float
) -> None:
    phases = (PhaseProgress("Bars", 0.15, 100.0), PhaseProgress("Training", 0.85, 0.1))
    operation = an_operation(metadata={} if usual is None else {"usual_phases": usual})
    report = Progressed(1, GenericProgressState(percentage=15.0, phases=phases))
    told = as_usual(operation, report).progress
    assert round(told.percentage, 1) == percentage


async def test_an_operation_weighs_its_phases_as_earlier_ones_took_them() -> None:
    """From the history of its kind to the percentage that is read back."""
    store = MemoryOperationStore()
    await store.insert(ran(1, 100.0, phases={"Bars": 1.0, "Training": 99.0}))
    service = OperationsService(store, KINDS, StillClock())
    new, _ = await service.start("count", CountRequest())
    claimed = await service.apply(new.operation_id, Claimed())
    phases = (PhaseProgress("Bars", 0.5, 100.0), PhaseProgress("Training", 0.5, 10.0))
    report = GenericProgressState(percentage=55.0, seq=1, phases=phases)
    await service.apply(new.operation_id, Progressed(claimed.fence, report))
    assert (await service.get(new.operation_id)).progress.percentage == pytest.approx(10.9)
