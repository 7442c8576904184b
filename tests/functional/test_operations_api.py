"""The operations API with real worker processes: starts, ends, cancellation and refusals."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.api import Api, running_api

STRATEGY = Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml"
LONG = {"duration": 600.0, "iterations": 6000}
SHORT = {"duration": 0.05, "iterations": 3}
KEY = "op_dummy_abcdefghijkl"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path) as running:
        yield running


async def test_an_operation_runs_in_a_worker_and_answers_its_result(api: Api) -> None:
    answer = await api.start(**SHORT)
    assert answer.status_code == 202
    operation_id = answer.json()["data"]["operation_id"]
    assert answer.headers["Location"] == f"/api/v1/operations/{operation_id}"
    operation = await api.until(operation_id)
    assert operation["status"] == "completed"
    assert operation["result_summary"]["iterations_completed"] == 3
    assert operation["progress"]["percentage"] == 100.0
    assert api.workers() == []


async def test_fault_24_the_same_start_twice_makes_one_operation(api: Api) -> None:
    first, second = await api.start(KEY, **SHORT), await api.start(KEY, **SHORT)
    assert (first.status_code, second.status_code) == (202, 200)
    assert second.headers["Idempotency-Replayed"] == "true"
    listed = (await api.http.get("/api/v1/operations")).json()
    assert listed["total_count"] == 1


async def test_fault_24_fifty_deliveries_of_one_start_make_one_operation(api: Api) -> None:
    answers = await asyncio.gather(*(api.start(KEY, **SHORT) for _ in range(50)))
    assert sorted(each.status_code for each in answers) == [200] * 49 + [202]


async def test_a_key_cannot_be_used_for_another_request(api: Api) -> None:
    await api.start(KEY, **SHORT)
    answer = await api.start(KEY, duration=1.0, iterations=3)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert KEY in answer.json()["detail"]


async def test_cancel_stops_the_worker_and_says_who_asked(api: Api) -> None:
    operation_id = await api.started(**LONG)
    await api.until(operation_id, steps=1)
    answer = await api.cancel(operation_id, reason="enough")
    assert answer.status_code == 202
    operation = await api.until(operation_id)
    assert operation["status"] == "cancelled"
    assert operation["cancel_requested"]["reason"] == "enough"
    assert api.workers() == []


async def test_cancel_before_the_workers_first_step_is_answered_too(api: Api) -> None:
    operation_id = await api.started(**LONG)
    await api.until(operation_id, statuses={"running"})
    await api.cancel(operation_id)
    assert (await api.until(operation_id))["status"] == "cancelled"


async def test_cancel_of_an_ended_operation_tells_how_it_ended(api: Api) -> None:
    operation_id = await api.started(**SHORT)
    await api.until(operation_id)
    answer = await api.http.delete(f"/api/v1/operations/{operation_id}")
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "completed")


async def test_a_second_cancel_changes_nothing(api: Api) -> None:
    operation_id = await api.started(**LONG)
    await api.until(operation_id, steps=1)
    first = (await api.cancel(operation_id, reason="first")).json()["data"]["cancel_requested"]
    second = (await api.cancel(operation_id, reason="second")).json()["data"]["cancel_requested"]
    assert second == first


async def test_a_killed_worker_fails_the_operation_and_names_signal_and_log(api: Api) -> None:
    operation_id = await api.started(**LONG)
    await api.until(operation_id, steps=1)
    (worker,) = api.workers()
    worker.kill()
    error = (await api.until(operation_id))["error"]
    assert error["reason"] == "worker_lost"
    assert "SIGKILL" in error["detail"]
    assert Path(error["hint"].split()[-1]).exists()


async def test_a_frozen_worker_is_killed_when_the_grace_is_over(tmp_path: Path) -> None:
    async with running_api(tmp_path, cancel_grace=0.05) as api:
        operation_id = await api.started(**LONG)
        await api.until(operation_id, steps=1)
        (worker,) = api.workers()
        worker.suspend()
        await api.cancel(operation_id)
        assert (await api.until(operation_id))["status"] == "cancelled"
        assert not worker.is_running()


async def test_operations_wait_in_order_and_know_their_place(tmp_path: Path) -> None:
    async with running_api(tmp_path, slots=1) as api:
        running = await api.started(**LONG)
        await api.until(running, statuses={"running"})
        second, third = await api.started(**LONG), await api.started(**SHORT)
        waiting = await api.get(third, after="1.0.0", wait=10)
        assert waiting["progress"]["queue_position"] == 2
        assert (await api.cancel(second)).status_code == 200
        await api.cancel(running)
        assert (await api.until(third))["status"] == "completed"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"duration": -1}, "`duration`"),
        ({"duration": "soon"}, "`duration`"),
        ({"iterations": 0}, "`iterations`"),
        ({"colour": "red"}, "`colour`"),
    ],
)
async def test_a_bad_request_is_refused_in_one_sentence(
    api: Api, payload: dict[str, object], words: str
) -> None:
    answer = await api.http.post("/api/v1/dummy/start", json=payload)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/operations/op_dummy_unknown", 404),
        ("POST", "/api/v1/operations/op_dummy_unknown/cancel", 404),
        ("GET", "/api/v1/operations?limit=0", 422),
        ("GET", "/api/v1/operations/x?after=now", 422),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/operations", 405),
        ("GET", "/api/v1/trainings/op_training_unknown/performance", 404),
    ],
)
async def test_every_error_is_a_problem_document(api: Api, method: str, path: str, status: int) -> None:
    answer = await api.http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "hint", "errors"} == set(answer.json())


async def test_sec_10_an_endless_body_is_refused(api: Api) -> None:
    answer = await api.http.post("/api/v1/dummy/start", content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_a_full_queue_is_said_before_anything_is_written(tmp_path: Path) -> None:
    async with running_api(tmp_path, slots=1) as api:
        running = await api.started(**LONG)
        await api.until(running, statuses={"running"})
        for _ in range(100):
            assert (await api.start(**LONG)).status_code == 202
        answer = await api.start(**LONG)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert (await api.http.get("/api/v1/operations?limit=1")).json()["total_count"] == 101


async def test_metrics_count_what_was_started_how_it_ended_and_how_long_it_took(api: Api) -> None:
    for duration in (0.1, 600):
        operation_id = await api.started(duration=duration, iterations=6000 if duration > 1 else 1)
        if duration > 1:
            await api.until(operation_id, steps=1)
            await api.cancel(operation_id)
        await api.until(operation_id)
    answer = await api.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    assert 'ktrdr_operations_started_total{kind="dummy"} 2.0' in lines
    for status in ("completed", "cancelled"):
        assert f'ktrdr_operations_ended_total{{kind="dummy",status="{status}"}} 1.0' in lines
    for name in ("operation_seconds", "operation_queue_seconds"):
        assert f'ktrdr_{name}_count{{kind="dummy"}} 2.0' in lines
    assert "ktrdr_followers 0.0" in lines
    assert any(line.startswith("ktrdr_operations_running ") for line in lines)


async def test_metrics_tell_how_long_news_of_progress_take(api: Api) -> None:
    await api.until(await api.started(duration=0.3, iterations=3))
    lines = (await api.http.get("/metrics")).text.splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("ktrdr_progress_latency_seconds"))
    assert float(found["ktrdr_progress_latency_seconds_count"]) >= 3
    assert 0 <= float(found["ktrdr_progress_latency_seconds_sum"]) < float("inf")


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_a_trace_goes_with_the_operation_to_its_worker(api: Api, tmp_path: Path) -> None:
    headers = {"traceparent": TRACE}
    answer = await api.http.post("/api/v1/dummy/start", json={"duration": 600}, headers=headers)
    operation_id = answer.json()["data"]["operation_id"]
    shown = await api.until(operation_id, steps=1)
    assert shown["metadata"]["traceparent"] == TRACE
    (worker,) = api.workers()
    assert worker.environ()["TRACEPARENT"] == TRACE
    page = (await api.http.get(f"/api/v1/operations/{operation_id}/logs")).json()["data"]
    assert [line["message"] for line in page["lines"]] == ["Iterations begins"]
    log = tmp_path / "state" / "ops" / operation_id / "worker.log"
    assert [json.loads(line)["traceparent"] for line in log.read_text().splitlines()] == [TRACE]
    await api.cancel(operation_id)


@pytest.mark.parametrize("trace", ["", "x", TRACE.upper(), TRACE + "-x", f"00-{'0' * 32}-{'1' * 16}-01"])
async def test_a_trace_that_is_none_is_left_out(api: Api, trace: str) -> None:
    answer = await api.http.post(
        "/api/v1/dummy/start", json={"duration": 0.1}, headers={"traceparent": trace}
    )
    shown = await api.get(answer.json()["data"]["operation_id"])
    assert "traceparent" not in shown["metadata"]


async def test_the_usual_time_of_a_kind_is_known_before_its_next_operation(api: Api) -> None:
    first = await api.until(await api.started(duration=0.2, iterations=2))
    assert "usual_seconds" not in first["metadata"]
    second = await api.get(await api.started(duration=0.2, iterations=2))
    assert 0.2 <= second["metadata"]["usual_seconds"] < 60
    await api.until(second["operation_id"])
    longer = await api.until(await api.started(duration=2, iterations=20))
    last = await api.get(await api.started(duration=0.1, iterations=1))
    assert last["metadata"]["usual_seconds"] < longer["progress"]["phases"][0]["elapsed_seconds"]


async def test_kinds_describe_themselves(api: Api) -> None:
    kinds = (await api.http.get("/api/v1/operation-kinds")).json()["data"]
    dummy = next(each for each in kinds if each["name"] == "dummy")
    assert dummy["start_path"] == "/api/v1/dummy/start"
    assert set(dummy["request_schema"]["properties"]) == {"duration", "iterations"}


async def test_health_tells_the_build_and_how_busy_it_is(api: Api) -> None:
    data = (await api.http.get("/api/v1/health")).json()["data"]
    assert data["active_operations"] == 0
    assert data["api_version"] == 1


async def test_a_worker_that_cannot_be_started_fails_its_operation_alone(api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "ops"
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    failed = await api.until(await api.started(**SHORT))
    assert failed["status"] == "failed"
    assert "the worker could not be started" in failed["error_message"]
    folder.unlink()
    assert (await api.until(await api.started(**SHORT)))["status"] == "completed"


async def test_only_a_completed_training_has_a_performance(api: Api) -> None:
    dummy = await api.started(**SHORT)
    await api.until(dummy)
    answers = [await api.http.get(f"/api/v1/trainings/{name}/performance") for name in (dummy, "op_none")]
    assert [each.status_code for each in answers] == [404, 404]
    request = {"strategy_name": "s.yaml", "strategy": STRATEGY.read_text(), "symbols": ["NONE"]}
    started = await api.http.post("/api/v1/trainings/start", json=request)
    failed = await api.until(started.json()["data"]["operation_id"])
    assert failed["status"] == "failed"
    answer = await api.http.get(f"/api/v1/trainings/{failed['operation_id']}/performance")
    assert answer.status_code == 422
    assert "is failed, it has no performance" in answer.json()["detail"]
