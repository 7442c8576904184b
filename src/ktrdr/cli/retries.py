"""When a request is sent again: the one retry policy of the command line."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2

from ktrdr.backoff import RETRIED_STATUS, Backoff
from ktrdr.cli.warnings_to_user import warn
from ktrdr.errors import KtrdrError

SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})

Pause = Callable[[float], Awaitable[bool]]
Outcome = httpx2.Response | httpx2.TransportError


@dataclass(frozen=True, slots=True)
class RetryPolicy(Backoff):
    """How often a request is sent: `connection_tries` in all, `answer_retries` after a bad answer."""

    connection_tries: int = 5
    answer_retries: int = 3


STREAMED = "streamed"  # the extension of a request whose answer is read piece by piece
ONCE = RetryPolicy(connection_tries=1, answer_retries=0)


async def sleep_out(seconds: float) -> bool:
    """Sleep for all of the seconds; nothing ends it early."""
    await asyncio.sleep(seconds)
    return False


def say_and_sleep() -> Pause:
    """Return a pause between tries that says once why nothing happens."""
    said: list[bool] = []

    async def pause(seconds: float) -> bool:
        if not said:
            said.append(True)
            warn("the server has no good answer yet, trying again")
        return await sleep_out(seconds)

    return pause


class RetryTransport(httpx2.AsyncBaseTransport):
    """Sends a request until there is an answer worth having.

    `pause(seconds)` waits and returns True when retrying should end. A request that is neither safe nor keyed
    is only sent again while it cannot have arrived.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        policy: RetryPolicy,
        *,
        pause: Pause = sleep_out,
        fraction: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._inner = inner
        self._policy = policy
        self._pause = pause
        self._fraction = fraction
        self._now = now

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the first good answer, or the last bad one; raises the last transport error."""
        policy: RetryPolicy = request.extensions.get("retry", self._policy)
        failures = 0
        while True:
            failures += 1
            outcome = await self._attempt(request)
            if _is_good(outcome) or failures >= _tries(policy, outcome) or not _may_repeat(request, outcome):
                break
            if await self._pause(self._delay(policy, failures, outcome)):
                break
            if isinstance(outcome, httpx2.Response):
                await outcome.aclose()
        if isinstance(outcome, httpx2.TransportError):
            raise outcome
        return outcome

    async def aclose(self) -> None:
        """Close the connection pool."""
        await self._inner.aclose()

    async def _attempt(self, request: httpx2.Request) -> Outcome:
        try:
            response = await self._inner.handle_async_request(request)
            if STREAMED not in request.extensions:
                await _read_whole(response)
            return response
        except httpx2.TransportError as error:
            if not _never_sent(error):
                request.extensions["may_have_arrived"] = True
            return error

    def _delay(self, policy: RetryPolicy, failures: int, outcome: Outcome) -> float:
        if isinstance(outcome, httpx2.Response):
            wanted = policy.wanted(outcome.headers.get("retry-after", ""), self._now())
            if wanted is not None:
                return wanted
        return policy.delay(failures, self._fraction())


async def _read_whole(response: httpx2.Response) -> None:
    """Read the body: an answer that breaks off in it is as lost as one that never came."""
    try:
        await response.aread()
    except (httpx2.TransportError, KtrdrError):
        await response.aclose()
        raise


def _is_good(outcome: Outcome) -> bool:
    return isinstance(outcome, httpx2.Response) and outcome.status_code not in RETRIED_STATUS


def _tries(policy: RetryPolicy, outcome: Outcome) -> int:
    return policy.answer_retries + 1 if isinstance(outcome, httpx2.Response) else policy.connection_tries


def _may_repeat(request: httpx2.Request, outcome: Outcome) -> bool:
    """Tell whether sending again can do no harm: the body can be replayed, and twice is as good as once."""
    if isinstance(outcome, httpx2.UnsupportedProtocol):
        return False
    if isinstance(outcome, httpx2.TransportError) and _never_sent(outcome):
        return True
    is_idempotent = request.method in SAFE_METHODS or "idempotency-key" in request.headers
    return is_idempotent and isinstance(request.stream, httpx2.ByteStream)


def _never_sent(error: httpx2.TransportError) -> bool:
    never = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.UnsupportedProtocol
    return isinstance(error, never)
