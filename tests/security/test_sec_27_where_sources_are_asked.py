"""Rows 27 to 29: a source is asked at hosts of its own, over connections that prove who answers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ktrdr.errors import DataInvalid, ProviderFailed
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.guarded_http import Answer, GuardedHttp, Request, own_hosts
from ktrdr.market_data.providers.pacing import Pace, PacingBudget
from ktrdr.market_data.providers.requests_transport import RequestsTransport
from ktrdr.market_data.providers.retrying import PassingTrouble, Retries
from support.local_sources import StillClock, around, local_exchange, local_yahoo
from support.market_server import MarketServer, market_server, redirect
from support.synthetic_bars import DAYS
from support.untrusted_server import untrusted_server

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning:yfinance.utils")

WITHIN = Interval(DAYS["time"][3], DAYS["time"][9])
ELSEWHERE = (
    "http://here.test/x",
    "ftp://here.test/x",
    "file:///etc/passwd",
    "https://169.254.169.254/latest/meta-data",
    "https://2852039166/",
    "https://0251.0376.0251.0376/",
    "https://[::ffff:169.254.169.254]/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://here.test.evil.test/x",
    "https://evil-here.test/x",
    "https://here.test:8443/x",
    "https://me:secret@here.test/x",
    "https://here.test@evil.test/x",
    "https://here.test\\@evil.test/x",
    "https://here.test./x",
    "https://[::1/x",
    "https://here.test:port/x",
    "//evil.test/x",
    "",
)


class Recorder:
    """Answers from a list and writes down what it is sent."""

    def __init__(self, *answers: Answer) -> None:
        self.sent: list[Request] = []
        self._answers = list(answers)

    def send(self, request: Request) -> Answer:
        self.sent.append(request)
        return self._answers.pop(0)

    def close(self) -> None:
        """Hold nothing."""


def guarded(recorder: Recorder, clock: StillClock | None = None) -> GuardedHttp:
    clock = clock or StillClock()
    budget = PacingBudget("here", Pace(100, 1.0), None, clock=clock, sleep=clock.sleep)
    hosts = own_hosts("here.test", "there.test")
    return GuardedHttp("here", hosts, recorder, budget, Retries("here", around(clock)))


def moved(target: str) -> Answer:
    return Answer(302, {"location": target}, b"")


FOUND = Answer(200, {}, b"found")


@pytest.mark.parametrize("url", ELSEWHERE)
def test_sec_27_what_is_not_a_host_of_the_source_is_never_asked(url: str) -> None:
    recorder = Recorder(FOUND)
    with pytest.raises(ProviderFailed, match="is not one of its hosts"):
        guarded(recorder).send(Request("GET", url))
    assert recorder.sent == []


@pytest.mark.parametrize("target", [each for each in ELSEWHERE if each])
def test_sec_27_a_redirect_is_checked_like_any_other_address(target: str) -> None:
    recorder = Recorder(moved(target), FOUND)
    with pytest.raises(ProviderFailed, match="is not one of its hosts"):
        guarded(recorder).send(Request("GET", "https://here.test/x"))
    assert [each.url for each in recorder.sent] == ["https://here.test/x"]


def test_sec_27_every_hop_of_a_redirect_is_checked() -> None:
    recorder = Recorder(moved("https://there.test/y"), moved("https://evil.test/z"), FOUND)
    with pytest.raises(ProviderFailed, match=r"https://evil\.test"):
        guarded(recorder).send(Request("GET", "https://here.test/x"))
    assert [each.url for each in recorder.sent] == ["https://here.test/x", "https://there.test/y"]


def test_sec_29_what_a_request_carries_is_not_told_to_another_host() -> None:
    recorder = Recorder(moved("https://there.test/y"), FOUND)
    headers = {"x-mbx-apikey": "secret", "cookie": "secret", "authorization": "secret", "accept": "*/*"}
    guarded(recorder).send(Request("GET", "https://here.test/x", headers))
    assert dict(recorder.sent[1].headers) == {"accept": "*/*", "accept-encoding": "gzip, deflate"}


def test_a_redirect_within_a_host_keeps_what_the_request_carries() -> None:
    recorder = Recorder(moved("/y?z=1"), FOUND)
    answer = guarded(recorder).send(Request("GET", "https://here.test/x", {"cookie": "a"}))
    assert (answer.body, recorder.sent[1].url) == (b"found", "https://here.test/y?z=1")
    assert recorder.sent[1].headers["cookie"] == "a"


def test_what_may_be_sent_once_only_is_sent_once_only() -> None:
    for answer in (Answer(503, {}, b""), moved("https://here.test/y")):
        recorder = Recorder(answer, FOUND)
        with pytest.raises(ProviderFailed):
            guarded(recorder).send(Request("POST", "https://here.test/x", body=b"{}"))
        assert len(recorder.sent) == 1


def test_sec_13_a_body_shorter_than_it_says_is_asked_for_again() -> None:
    recorder = Recorder(Answer(200, {"content-length": "6"}, b"foun"), FOUND)
    assert guarded(recorder).send(Request("GET", "https://here.test/x")).body == b"found"


def test_sec_30_an_answer_that_trickles_is_given_up() -> None:
    class Hurried(StillClock):
        def monotonic(self) -> float:
            self.advance(60.0)
            return super().monotonic()

    with market_server() as server:
        transport = RequestsTransport("here", around(Hurried()))
        with pytest.raises(PassingTrouble, match="does not come to the end"):
            transport.send(Request("GET", f"{server.address}/api/v3/exchangeInfo"))
        transport.close()


def test_sec_27_where_an_answer_points_to_is_for_the_guards_alone_to_look_at() -> None:
    with market_server() as server:
        server.faults.append(redirect("https://[::1/x"))
        transport = RequestsTransport("here", around(StillClock()))
        answer = transport.send(Request("GET", f"{server.address}/api/v3/klines"))
        transport.close()
    assert (answer.status, answer.headers["location"]) == (302, "https://[::1/x")


def test_a_redirect_to_nowhere_is_refused() -> None:
    recorder = Recorder(Answer(302, {}, b""), FOUND)
    with pytest.raises(ProviderFailed, match="nowhere"):
        guarded(recorder).send(Request("GET", "https://here.test/x"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 422, 501])
def test_a_refusal_is_handed_on_and_not_asked_again(status: int) -> None:
    recorder = Recorder(Answer(status, {}, b"no"), FOUND)
    assert guarded(recorder).send(Request("GET", "https://here.test/x")).status == status
    assert len(recorder.sent) == 1


@pytest.mark.parametrize(
    ("said", "waited"),
    [("1000000000", 60.0), ("-5", 0.0), ("soon", 1.0), ("nan", 1.0), ("inf", 60.0), ("", 1.0)],
)
def test_sec_29_a_source_cannot_make_us_wait_longer_than_a_minute(said: str, waited: float) -> None:
    clock = StillClock()
    guarded(Recorder(Answer(429, {"retry-after": said}, b""), FOUND), clock).send(
        Request("GET", "https://here.test/x")
    )
    assert clock.slept == [waited]


def yahoo(server: MarketServer) -> object:
    return local_yahoo(server, StillClock()).look_up("AAPL", "1d")


def binance(server: MarketServer) -> object:
    return local_exchange(server, StillClock()).look_up("BTC/USDT", "1h")


@pytest.fixture(params=[yahoo, binance], ids=lambda each: each.__name__)
def look_up(request: pytest.FixtureRequest) -> Callable[[MarketServer], object]:
    asked: Callable[[MarketServer], object] = request.param
    return asked


def test_sec_28_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    look_up: Callable[[MarketServer], object], tmp_path: Path
) -> None:
    with untrusted_server(tmp_path) as server:
        with pytest.raises(ProviderFailed, match="cannot prove who it is"):
            look_up(server)
        assert server.asked == []


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[MarketServer]:
    with market_server() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.address)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        yield proxy


def test_sec_27_proxies_of_the_environment_are_not_used(
    look_up: Callable[[MarketServer], object], proxy: MarketServer
) -> None:
    with market_server() as server:
        look_up(server)
    assert proxy.asked == []


def test_sec_27_a_symbol_that_is_no_symbol_is_not_sent_anywhere() -> None:
    with market_server() as server:
        provider = local_yahoo(server, StillClock())
        for symbol in ("AAPL/../../x", "AAPL?x=1", "AAPL#x", "aapl", "", "A" * 99, "AAPL\r\nX: y", "ÄÖ"):
            with pytest.raises(DataInvalid):
                provider.fetch(symbol, "1d", WITHIN)
        assert server.asked == []
