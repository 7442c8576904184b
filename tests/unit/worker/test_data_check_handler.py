"""The work of a check: it stops when it is asked to, says how far it is, and guesses nothing."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ktrdr.clock import SystemClock
from ktrdr.errors import InputInvalid, NotFound, OperationCancelled
from ktrdr.kinds.data_check import DataCheckRequest, DataCheckResult
from ktrdr.market_data.series_meta import Series
from ktrdr.operations.context import OperationContext
from ktrdr.operations.events import Progressed, WorkerEvent
from ktrdr.settings import Settings
from ktrdr.worker.folders import Folders
from ktrdr.worker.handlers.data_check import handle
from support.stored_bars import some_bars, store_bars, store_sample

pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")  # exchange_calendars


JUMP = {"time": "2005-02-28T00:00:00Z", "ratio": 0.5, "split": "1/2"}


class Work:
    """What a handler is given, with everything it says kept."""

    def __init__(self, home: Path, *, cancelled_after: int = 10**6) -> None:
        self.settings = Settings.load({"KTRDR_HOME": str(home)})
        self.said: list[WorkerEvent] = []
        self._cancelled_after = cancelled_after
        self._home = home

    def check(self, **request: Any) -> DataCheckResult:
        context = OperationContext(
            operation_id="op_data_check_a",
            fence=1,
            emit=self.said.append,
            cancelled=lambda: len(self.said) >= self._cancelled_after,
            clock=SystemClock(),
            work_folder=self._home / "work",
        )
        folders = Folders(self.settings.data_dir, self.settings.models_dir, self.settings.uploads_dir)
        return handle(DataCheckRequest(**request), context, folders)


def test_a_check_notices_between_two_files_that_it_is_to_stop(tmp_path: Path) -> None:
    work = Work(tmp_path, cancelled_after=1)
    store_sample(work.settings)
    with pytest.raises(OperationCancelled):
        work.check(symbol="AAPL")
    assert len(work.said) == 1


def test_a_check_says_how_many_bars_it_has_read(tmp_path: Path) -> None:
    work = Work(tmp_path)
    store_sample(work.settings)
    work.check(symbol="AAPL", calendar="24/7")
    states = [each.progress for each in work.said if isinstance(each, Progressed)]
    assert {each.current_step for each in states} == {"Read", "Check"}
    assert (states[-1].items_processed, states[-1].percentage) == (3270, 100.0)
    assert any(each.items_processed == 3270 for each in states if each.current_step == "Read")


def test_a_symbol_of_several_providers_is_not_guessed(tmp_path: Path) -> None:
    work = Work(tmp_path)
    store_sample(work.settings)
    store_bars(work.settings, Series("yfinance", "AAPL", "1d"), some_bars(5, "1d"))
    with pytest.raises(InputInvalid, match="from several providers"):
        work.check(symbol="AAPL")
    result = work.check(symbol="AAPL", provider="yfinance", calendar="24/7", start=date(2020, 1, 1))
    assert (result.provider, result.bars, result.missing) == ("yfinance", 5, 29)


def test_what_is_no_number_is_never_answered(tmp_path: Path) -> None:
    work = Work(tmp_path)
    store_sample(work.settings)
    answer = work.check(symbol="AAPL", calendar="24/7").model_dump()
    for changed in ({"coverage": float("nan")}, {"jumps": [{**JUMP, "ratio": float("inf")}]}):
        with pytest.raises(ValidationError, match="finite number"):
            DataCheckResult.model_validate({**answer, **changed})


def test_a_symbol_that_nobody_has_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there are no bars of TSLA 1d"):
        Work(tmp_path).check(symbol="TSLA")
