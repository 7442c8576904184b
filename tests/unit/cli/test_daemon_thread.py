"""Whoever leaves does not wait for the work of a thread."""

import asyncio
import threading

import pytest

from ktrdr.cli.daemon_thread import in_daemon_thread
from ktrdr.errors import InputInvalid


def refuse() -> None:
    raise InputInvalid("no")


def test_what_the_work_returns_or_raises_is_passed_on() -> None:
    assert asyncio.run(in_daemon_thread(lambda: 7)) == 7
    with pytest.raises(InputInvalid, match="no"):
        asyncio.run(in_daemon_thread(refuse))


def test_leaving_waits_for_nothing() -> None:
    go_on = threading.Event()

    async def leave() -> None:
        async with asyncio.timeout(0.01):
            await in_daemon_thread(go_on.wait)

    with pytest.raises(TimeoutError):
        asyncio.run(leave())
    go_on.set()
