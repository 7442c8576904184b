"""Requests sent through the library `requests`, and a session of that library that passes the guards."""

import io
import json
from http import HTTPStatus
from typing import Any

import requests
import urllib3

from ktrdr.clock import Clock
from ktrdr.errors import ProviderFailed
from ktrdr.market_data.providers.guarded_http import UNREADABLE, Answer, GuardedHttp, Request
from ktrdr.market_data.providers.http_bodies import BROKE_OFF, PIECE, TOO_SLOW, Received
from ktrdr.market_data.providers.retrying import PassingTrouble, Surroundings

REASONS = {each.value: each.phrase for each in HTTPStatus}
UNTRUSTED = "cannot prove who it is"
NO_ANSWER = "does not answer"
LONGEST_ANSWER = 4  # how many times the timeout between two pieces a whole answer may take


class PlainSession(requests.Session):
    """A session that does not look where an answer points to."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  # the guards decide
        """Return that there is nowhere to go."""
        return


class RequestsTransport:
    """Sends one request and reads its body as it comes, without decoding it."""

    def __init__(self, source: str, surroundings: Surroundings) -> None:
        self._source = source
        self._timeout = surroundings.timeout
        self._clock: Clock = surroundings.clock
        self._session = PlainSession()
        self._session.trust_env = False

    def send(self, request: Request) -> Answer:
        """Return the answer, its body as it was sent."""
        try:
            return self._send(request)
        except requests.exceptions.SSLError:
            raise ProviderFailed(
                f"`{self._source}` {UNTRUSTED}", hint="its certificate is not trusted on this machine"
            ) from None
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            raise PassingTrouble("does not answer in time") from None
        except urllib3.exceptions.HTTPError:
            raise PassingTrouble(BROKE_OFF) from None
        except requests.exceptions.RequestException:
            raise PassingTrouble(NO_ANSWER) from None

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def _send(self, request: Request) -> Answer:
        with self._session.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            data=request.body,
            timeout=self._timeout,
            stream=True,
            allow_redirects=False,
            verify=True,
        ) as response:
            body = self._read(response)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, body)

    def _read(self, response: requests.Response) -> bytes:
        received = Received()
        latest = self._clock.monotonic() + LONGEST_ANSWER * self._timeout
        for piece in response.raw.stream(PIECE, decode_content=False):
            received.take(piece)
            if self._clock.monotonic() > latest:
                raise PassingTrouble(TOO_SLOW)
        return received.body


class GuardedSession(requests.Session):
    """A session for libraries that want one of `requests` and read JSON; it goes through the guards."""

    def __init__(self, http: GuardedHttp) -> None:
        super().__init__()
        self.headers.clear()
        self._http = http

    def request(  # type: ignore[override]  # what else a caller says of transport is not for it to decide
        self,
        method: str,
        url: str,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        **_: Any,
    ) -> requests.Response:
        """Send a request; how is decided here, whatever the caller says of redirects or proxies."""
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        answer = self._http.send(Request(method.upper(), url, lowered, data))
        self._expect_json(answer)
        response = requests.Response()
        response.status_code = answer.status
        response.reason = REASONS.get(answer.status, "")
        response.headers.update(answer.headers)
        response.url = url
        response.raw = io.BytesIO(answer.body)
        return response

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _expect_json(self, answer: Answer) -> None:
        """Raise ProviderFailed for an answer that is none; a library may take it for an empty one."""
        try:
            if answer.status < HTTPStatus.BAD_REQUEST:
                json.loads(answer.body)
        except UNREADABLE:
            raise self._http.unreadable() from None
