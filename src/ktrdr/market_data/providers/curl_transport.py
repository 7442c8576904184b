"""Requests sent through `curl_cffi`, which greets a server as a browser does; some answer nobody else."""

from curl_cffi import CurlOpt
from curl_cffi.const import CurlECode
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException, SSLError, Timeout

from ktrdr.errors import ProviderFailed
from ktrdr.market_data.providers.guarded_http import UNDERSTOOD, Answer, Request
from ktrdr.market_data.providers.http_bodies import BROKE_OFF, Received
from ktrdr.market_data.providers.retrying import PassingTrouble, Surroundings

BROWSER = "chrome"
CUT_SHORT = frozenset(
    {CurlECode.PARTIAL_FILE, CurlECode.GOT_NOTHING, CurlECode.RECV_ERROR, CurlECode.HTTP2_STREAM}
)
NO_PROXY, AS_SENT = "*", 0


class CurlTransport:
    """Sends one request as a browser would and collects its body as it comes, without decoding it."""

    def __init__(self, source: str, surroundings: Surroundings) -> None:
        self._source = source
        self._timeout = surroundings.timeout
        self._session: Session[Response] = Session(
            impersonate=BROWSER,
            allow_redirects=False,
            curl_options={CurlOpt.NOPROXY: NO_PROXY, CurlOpt.HTTP_CONTENT_DECODING: AS_SENT},
            discard_cookies=True,
        )

    def send(self, request: Request) -> Answer:
        """Return the answer, its body as it was sent."""
        try:
            return self._send(request)
        except SSLError:
            raise ProviderFailed(
                f"`{self._source}` cannot prove who it is",
                hint="its certificate is not trusted on this machine",
            ) from None
        except Timeout:
            raise PassingTrouble("does not answer in time") from None
        except RequestException as error:
            raise PassingTrouble(BROKE_OFF if error.code in CUT_SHORT else "does not answer") from None

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def _send(self, request: Request) -> Answer:
        received = Received()
        response = self._session.request(
            request.method,  # type: ignore[arg-type]  # the library knows its methods as literals
            request.url,
            headers=dict(request.headers),
            data=request.body,
            timeout=self._timeout,
            accept_encoding=UNDERSTOOD,
            content_callback=received.take,
            quote=False,
        )
        headers = {name.lower(): value or "" for name, value in response.headers.items()}
        return Answer(response.status_code, headers, received.body)
