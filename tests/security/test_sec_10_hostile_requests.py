"""Row 67, threat 10: whatever a request says, the answer is a refusal in words, never a failed server."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from ktrdr.operations.operation import OperationStatus
from ktrdr.server.guards import LARGEST_BODY
from ktrdr.server.stores.sqlite import SqliteOperationStore
from support.api import Api, running_api
from support.operations import an_operation

pytestmark = pytest.mark.anyio

ENDED = "op_ended_aaaaaaaaaaaa"
LONE = "\ud800"
JSON = {"Content-Type": "application/json"}
NUMBERS = ["9" * 5000, *map(str, (2**63 - 1, 2**63 - 2, 2**63, 2**64, -1, -(2**63) - 1)), "1e400", "nan"]
TEXTS = ["%ED%A0%80", "%FF", "%00", "..%2F..%2Fetc%2Fpasswd", "%1B%5B31m", "x" * 20_000, ""]
PARTS = ["%ED%A0%80", "%FF", "%00", "..%2F..", "x" * 2000, "9" * 5000]
BODIES = {
    "a lone surrogate in a name": b'{"\\ud800": 1}',
    "one in a list": b'{"symbols": ["\\uDFFF"]}',
    "one as its bytes": b'{"reason": "\xed\xa0\x80"}',
    "two in the wrong order": b'{"reason": "\\udc00\\ud800"}',
    "bytes that are no text": b'{"reason": "\xff"}',
    "another encoding": '{"reason": "x"}'.encode("utf-16"),
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "a number without end": b'{"iterations": ' + b"9" * 5000 + b"}",
    "no number": b'{"duration": NaN, "iterations": 1e999}',
    "nothing": b"",
    "no object": b"[]",
    "half": b'{"reason": ',
}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Return an app that knows an operation that has ended, and whose worker logged what is no text."""
    (tmp_path / "state" / "ops" / ENDED).mkdir(parents=True)
    (tmp_path / "state" / "ops" / ENDED / "worker.log").write_text(json.dumps({"message": LONE}) + "\n")
    store = SqliteOperationStore(tmp_path / "operations.sqlite")
    ended = {"status": OperationStatus.CANCELLED, "operation_type": "dummy", "request": {"iterations": 1}}
    await store.insert(an_operation(ENDED, **ended))
    async with running_api(tmp_path, store=store, slots=0) as api:
        yield api


async def described(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    paths = (await api.http.get("/openapi.json")).json()["paths"]
    return [
        (method.upper(), path, what) for path, methods in paths.items() for method, what in methods.items()
    ]


def asked(path: str, what: dict[str, Any]) -> Iterator[str]:
    """Yield addresses with one hostile value each."""
    usual = {"symbol": "AAPL"}
    known = path.format(operation_id=ENDED, strategy="s", run_id="r")
    for each in what.get("parameters", []):
        if each["in"] == "query":
            others = "".join(f"&{name}={value}" for name, value in usual.items() if name != each["name"])
            yield from (f"{known}?{each['name']}={value}{others}" for value in NUMBERS + TEXTS)
        if each["in"] == "path":
            names = {"operation_id": ENDED, "strategy": "s", "run_id": "r"}
            yield from (path.format(**{**names, each["name"]: value}) for value in PARTS)


async def test_sec_10_no_value_in_an_address_makes_the_server_fail(api: Api) -> None:
    seen = 0
    for method, path, what in await described(api):
        for address in asked(path, what):
            answer = await api.http.request(method, address)
            assert answer.status_code < 500, address[:200]
            seen += 1
    assert seen > 300


async def test_sec_10_no_body_makes_the_server_fail(api: Api) -> None:
    for method, path, _ in await described(api):
        known = path.format(operation_id=ENDED, strategy="s", run_id="r")
        for name, body in BODIES.items():
            answer = await api.http.request(method, known, content=body, headers=JSON)
            assert answer.status_code < 500, (method, path, name)


@pytest.mark.parametrize("name", [each for each in BODIES if "surrogate" in each or "one" in each])
async def test_sec_10_text_that_is_none_is_refused_in_words(api: Api, name: str) -> None:
    answer = await api.http.post(f"/api/v1/operations/{ENDED}/cancel", content=BODIES[name], headers=JSON)
    assert answer.status_code == 422
    assert "text" in answer.json()["detail"]


async def test_sec_10_a_pair_of_surrogates_is_text(api: Api) -> None:
    for body in (b'{"reason": "\\ud83d\\ude00"}', '{"reason": "\\\\ud800 \N{GRINNING FACE}"}'.encode()):
        answer = await api.http.post(f"/api/v1/operations/{ENDED}/cancel", content=body, headers=JSON)
        assert answer.status_code == 200


async def test_sec_10_a_body_of_any_size_is_refused_before_any_route_sees_it(api: Api) -> None:
    for method, path, _ in await described(api):
        if path != "/api/v1/uploads":
            known = path.format(operation_id=ENDED, strategy="s", run_id="r")
            answer = await api.http.request(method, known, content=b" " * (LARGEST_BODY + 1))
            assert answer.status_code == 413, (method, path)
            assert answer.json()["detail"] == f"the body is larger than {LARGEST_BODY:,} bytes"


async def test_sec_10_text_that_is_none_can_be_read_where_a_worker_logged_it(api: Api) -> None:
    answer = await api.http.get(f"/api/v1/operations/{ENDED}/logs")
    assert answer.status_code == 200
    assert answer.json()["data"]["lines"][0]["message"] == LONE
