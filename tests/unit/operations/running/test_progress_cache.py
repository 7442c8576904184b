"""Reports of progress that are due to be stored: the newest of each operation, until stored or outdated."""

from ktrdr.operations.events import Progressed
from ktrdr.operations.progress import GenericProgressState
from ktrdr.operations.running.progress_cache import ProgressCache
from support.operations import an_operation


def report(seq: int) -> Progressed:
    return Progressed(1, GenericProgressState("op_count_aaaaaaaaaaaa", seq=seq))


def test_a_report_that_changes_nothing_any_more_is_forgotten_and_a_newer_one_is_not() -> None:
    cache, operation = ProgressCache(), an_operation()
    earlier, later = report(1), report(2)
    assert cache.report(operation, earlier)
    cache.outdated(operation.operation_id, earlier)
    assert not cache.due
    assert cache.report(operation, later)
    cache.outdated(operation.operation_id, earlier)
    assert cache.due == {operation.operation_id: later}
