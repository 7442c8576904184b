"""Work in a thread that nobody has to wait for: whoever leaves, leaves at once."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from ktrdr.errors import KtrdrError

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns or raise its KtrdrError or OSError.

    The loop's own threads are joined when the loop ends, however long they still work; this one is not.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # who no longer waits does not disturb the thread

    def run() -> None:
        try:
            done.set_result(work())
        except (KtrdrError, OSError) as error:
            done.set_exception(error)
        finally:
            if not done.done():
                done.set_exception(RuntimeError("the work ended in an unexpected way"))

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done)
