"""What every source that is asked over HTTP must pass: where a request may go, and what may come back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

from ktrdr.backoff import RETRIED_STATUS
from ktrdr.errors import ProviderFailed
from ktrdr.market_data.providers.http_bodies import BROKE_OFF, BodyRefused, decoded
from ktrdr.market_data.providers.pacing import PacingBudget
from ktrdr.market_data.providers.retrying import LATER, PassingTrouble, Retries

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 3
UNDERSTOOD = "gzip, deflate"
HARMLESS = frozenset({"accept", "accept-language", "user-agent"})  # headers that may go to another host
STRANGE = "this should not happen: look at what is between this machine and the source"
SHOWN = 80

# what reading an answer raises that is not what it should be; deep nesting and great numbers among it
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, headers in lower case; its representation shows neither headers, query nor body."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Transport(Protocol):
    """Sends one request as it is: no redirect followed, nothing decoded, no proxy of the environment used.

    Certificates are always verified. Raises PassingTrouble if no whole answer comes, BodyRefused if it is too
    large, ProviderFailed if the other side cannot be trusted.
    """

    def send(self, request: Request) -> Answer:
        """Return the answer, its body as it was sent."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class GuardedHttp:
    """Asks a source over HTTPS, at the hosts of its own and nowhere else.

    `hosts` maps every host that may be asked to the address at which it is found, which is `https://` and the
    host itself unless one says otherwise. Names are compared whole.
    """

    def __init__(
        self,
        source: str,
        hosts: Mapping[str, str],
        transport: Transport,
        budget: PacingBudget,
        retries: Retries,
    ) -> None:
        self._source = source
        self._hosts = hosts
        self._transport = transport
        self._budget = budget
        self._retries = retries

    def send(self, request: Request) -> Answer:
        """Return an answer, whole and decoded; passing trouble is waited out where asking twice is harmless.

        Raises ProviderFailed where a guard refuses, or when patience ends.
        """
        self._address(request.url)
        return self._retries.ask(lambda: self._attempt(request), is_repeatable=request.method == "GET")

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()

    def unreadable(self) -> ProviderFailed:
        """Return the error of an answer that is not what it should be."""
        return ProviderFailed(f"`{self._source}` gives an answer that cannot be read", hint=LATER)

    def _attempt(self, request: Request) -> Answer:
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._send_once(request)
            if answer.status not in REDIRECTS:
                return answer
            request = self._redirected(request, answer)
        raise self._refused("sends from one place to the next")

    def _send_once(self, request: Request) -> Answer:
        sent = replace(
            request,
            url=self._address(request.url),
            headers={**request.headers, "accept-encoding": UNDERSTOOD},
        )
        self._budget.take()
        try:
            answer = self._transport.send(sent)
            if answer.status in RETRIED_STATUS:
                words = f"answers that it cannot now (HTTP {answer.status})"
                raise PassingTrouble(words, answer.headers.get("retry-after", ""))
            if answer.status in REDIRECTS:
                return answer
            _expect_whole(answer)
            return replace(
                answer, body=decoded(answer.body, answer.headers.get("content-encoding", "").lower())
            )
        except BodyRefused as refused:
            raise self._refused(f"gives an answer that {refused}") from None

    def _redirected(self, request: Request, answer: Answer) -> Request:
        target = _joined(request.url, answer.headers.get("location", ""))
        if request.method != "GET" or not answer.headers.get("location"):
            raise self._refused("sends on to nowhere, or what may be sent once only")
        if _parts(target).hostname == _parts(request.url).hostname:
            return replace(request, url=target)
        kept = {name: value for name, value in request.headers.items() if name in HARMLESS}
        return replace(request, url=target, headers=kept)

    def _address(self, url: str) -> str:
        """Return where to find what a URL names; raises ProviderFailed if it is no host of this source."""
        parts = _parts(url)
        origin = self._hosts.get(parts.hostname or "")
        if parts.scheme != "https" or origin is None or parts.netloc != parts.hostname:
            where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"[:SHOWN]
            raise self._refused(f"would have `{where}` asked, which is not one of its hosts")
        return origin + parts._replace(scheme="", netloc="", fragment="").geturl()

    def _refused(self, words: str) -> ProviderFailed:
        return ProviderFailed(f"`{self._source}` {words}", hint=f"nothing was taken from it; {STRANGE}")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _expect_whole(answer: Answer) -> None:
    promised = answer.headers.get("content-length", "")
    if promised.isdigit() and len(answer.body) < int(promised):
        raise PassingTrouble(BROKE_OFF)


def own_hosts(*hosts: str) -> Mapping[str, str]:
    """Return hosts that are found where their names say."""
    return {host: f"https://{host}" for host in hosts}
