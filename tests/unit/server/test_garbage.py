"""A server searches for cycles seldom, and never through what it had loaded before it served."""

import gc
from collections.abc import Iterator

import pytest

from ktrdr.server.garbage import THRESHOLDS, collect_seldom


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_lives_is_set_apart_and_the_rest_is_still_collected() -> None:
    lives = ["a list that lives"]
    assert any(each is lives for each in gc.get_objects())
    collect_seldom()
    assert not any(each is lives for each in gc.get_objects())
    assert gc.isenabled()
    assert gc.get_threshold() == THRESHOLDS
