"""What a load may be asked, and which hours that means."""

import pytest
from pydantic import ValidationError

from ktrdr.kinds.data_load import DataLoadRequest


@pytest.mark.parametrize(
    ("asked", "hours"),
    [
        ({}, "all"),
        ({"trading_hours": True}, "regular"),
        ({"trading_hours": True, "include_extended": True}, "extended"),
    ],
)
def test_hours_are_all_those_of_sessions_or_those_around_them_too(asked: dict[str, bool], hours: str) -> None:
    request = DataLoadRequest.model_validate({"symbols": ["AAPL"], "timeframe": "1h", **asked})
    assert request.hours == hours


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"mode": "tail", "start": "2024-01-01"}, "tail begins with the last bar that is there"),
        ({"mode": "backfill", "end": "2024-01-01"}, "backfill ends with the first bar that is there"),
        ({"include_extended": True}, "include_extended has no effect without trading_hours"),
        ({"trading_hours": True}, "1d bars have no hours"),
        ({"start": "2024-01-02", "end": "2024-01-01"}, "before it starts"),
    ],
)
def test_what_would_have_no_effect_is_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        DataLoadRequest.model_validate({"symbols": ["AAPL"], **asked})
