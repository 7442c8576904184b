"""Leave an operation and come back to it: wait, logs, retry, cancel --all, status --exit-status."""

import asyncio
from pathlib import Path

import pytest

from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.kinds.table import KINDS
from support.installation import Installation
from support.one_process import OneProcess, one_process

Ktrdr = Installation | OneProcess
SHORT = ("dummy", "run", "--duration", "0.2", "--iterations", "2")
ENDLESS = ("dummy", "run", "--duration", "600", "--iterations", "6000")


def begun(ktrdr: Ktrdr, *command: str) -> str:
    return ktrdr.run(*command, "--detach", "-q").stdout.strip()


def test_detach_writes_the_id_alone_and_following_later_is_as_if_never_left(ktrdr: Ktrdr) -> None:
    done = ktrdr.run(*SHORT, "--detach", "--quiet")
    assert done.stderr == ""
    operation_id = done.stdout.strip()
    assert done.stdout == f"{operation_id}\n"
    assert "Iterations completed  2" in ktrdr.run("operations", "follow", operation_id).stdout
    again = ktrdr.run("operations", "follow", operation_id[:-3])
    assert "Iterations completed  2" in again.stdout


def test_waiting_ends_with_the_last_and_tells_each(ktrdr: Ktrdr) -> None:
    ids = [begun(ktrdr, *SHORT) for _ in range(2)]
    assert ktrdr.run("operations", "wait", *ids).stdout.splitlines() == [f"{each} completed" for each in ids]


def test_waiting_for_any_ends_with_the_first(ktrdr: Ktrdr) -> None:
    first, other = begun(ktrdr, *SHORT), begun(ktrdr, *ENDLESS)
    waited = ktrdr.run("operations", "wait", other, first, "--any").stdout.splitlines()
    assert waited[1] == f"{first} completed"
    assert waited[0] in {f"{other} running", f"{other} pending"}
    assert ktrdr.run("operations", "cancel", "--all").stdout.startswith(other)
    ktrdr.run("operations", "wait", other, expect=3)


def test_a_timeout_is_no_end(ktrdr: Ktrdr) -> None:
    operation_id = begun(ktrdr, *ENDLESS)
    assert operation_id in ktrdr.run("operations", "wait", "@last", "--timeout", "0.1", expect=124).stdout
    ktrdr.run("operations", "status", operation_id, "--exit-status", expect=8)
    ktrdr.run("operations", "cancel", operation_id)
    ktrdr.run("operations", "wait", operation_id, expect=3)
    ktrdr.run("operations", "status", operation_id, "--exit-status", expect=3)


def test_what_failed_is_failed_for_whoever_asks(ktrdr: Ktrdr) -> None:
    ktrdr.run("run", "data_import", "--set", "symbol=X", expect=2)
    ktrdr.run("models", "train", "examples/strategies/trend_momentum.yaml", "TSLA", expect=1)
    ktrdr.run("operations", "wait", "@last", expect=1)
    ktrdr.run("operations", "status", "@last", "--exit-status", expect=1)


def test_the_one_before_the_last_has_a_name(ktrdr: Ktrdr) -> None:
    first, second = begun(ktrdr, *SHORT), begun(ktrdr, *SHORT)
    assert second in ktrdr.run("operations", "status", "@last").stdout
    assert first in ktrdr.run("operations", "status", "^1").stdout
    assert "there is no operation `^7`" in ktrdr.run("operations", "status", "^7", expect=5).stderr


def test_a_retry_is_a_new_operation_that_knows_the_old_one(ktrdr: Ktrdr) -> None:
    operation_id = begun(ktrdr, *ENDLESS)
    refused = ktrdr.run("operations", "retry", operation_id, expect=2)
    assert f"`{operation_id}` is still" in refused.stderr
    ktrdr.run("operations", "cancel", operation_id)
    ktrdr.run("operations", "wait", operation_id, expect=3)
    new = ktrdr.run("operations", "retry", operation_id, "--detach", "-q").stdout.strip()
    shown = ktrdr.json("operations", "status", new)
    assert new != operation_id
    assert new.startswith("op_dummy_")
    assert shown["metadata"]["retry_of"] == operation_id
    assert shown["metadata"]["started_by"]
    ktrdr.run("operations", "cancel", new)


def test_a_retry_is_followed_as_any_start_is(ktrdr: Ktrdr) -> None:
    operation_id = begun(ktrdr, *SHORT)
    ktrdr.run("operations", "wait", operation_id)
    again = ktrdr.run("operations", "retry", operation_id)
    assert "Iterations completed  2" in again.stdout
    assert operation_id not in again.stderr
    assert ktrdr.json("operations", "status", "@last")["metadata"]["retry_of"] == operation_id


def test_an_import_cannot_be_repeated_and_says_so(ktrdr: Ktrdr, tmp_path: Path) -> None:
    """Its upload is gone with the first attempt."""
    bars = tmp_path / "bars.csv"
    bars.write_text("time,open,high,low,close,volume\n2024-01-02,1,2,1,2,5\n")
    ktrdr.run("data", "import", str(bars), "OWN", "--timeframe", "1d")
    refused = ktrdr.run("operations", "retry", "@last", expect=2)
    assert "an operation of kind `data_import` cannot be repeated" in refused.stderr
    assert len(ktrdr.operations()) == 1


def test_the_last_one_is_the_last_that_was_started_from_here(tmp_path: Path) -> None:
    with one_process(tmp_path / "k") as ktrdr:
        mine = begun(ktrdr, *SHORT)
        ktrdr.run("operations", "wait", mine)
        asyncio.run(start_elsewhere(ktrdr))
        assert len(ktrdr.operations()) == 2
        assert mine in ktrdr.run("operations", "status", "@last").stdout
        assert "there is no operation `^1`" in ktrdr.run("operations", "status", "^1", expect=5).stderr


async def start_elsewhere(ktrdr: OneProcess) -> None:
    """Start an operation at the same server, but not from this home."""
    client = KtrdrApiClient("http://ktrdr", transport=ktrdr.transport)
    await client.start("/api/v1/dummy/start", {"duration": 0.1, "iterations": 1}, "op_dummy_somebodyelse")


@pytest.mark.parametrize("verb", ["cancel", "wait"])
def test_kinds_choose_among_all_that_are_active(ktrdr: Ktrdr, verb: str) -> None:
    operation_id = begun(ktrdr, *ENDLESS)
    assert ktrdr.run("operations", verb, "--all", "--kind", "training").stderr == (
        "No such operation is active.\n"
    )
    assert ktrdr.json("operations", "status", operation_id)["status"] in {"pending", "running"}
    ktrdr.run("operations", "cancel", "--all", "--kind", "dummy")
    ktrdr.run("operations", "wait", operation_id, expect=3)


@pytest.mark.parametrize("arguments", [(), ("--status", "running"), ("--kind", "dummy"), ("@last", "--all")])
def test_cancelling_needs_to_be_told_what(ktrdr: Ktrdr, arguments: tuple[str, ...]) -> None:
    refused = ktrdr.run("operations", "cancel", *arguments, expect=2)
    assert "name operations, or say --all" in refused.stderr


def test_cancelling_all_of_nothing_is_said(ktrdr: Ktrdr) -> None:
    assert ktrdr.run("operations", "cancel", "--all").stderr == "No such operation is active.\n"


def test_lists_are_filtered(ktrdr: Ktrdr) -> None:
    ktrdr.run(*SHORT)
    assert ktrdr.json("operations", "list", "--status", "completed", "--kind", "dummy")["operations"]
    assert not ktrdr.json("operations", "list", "--status", "failed")["operations"]
    assert not ktrdr.json("operations", "list", "--kind", "training")["operations"]


def test_any_kind_the_server_describes_can_be_run(ktrdr: Ktrdr) -> None:
    done = ktrdr.run("run", "dummy", "--set", "duration=0.1", "--set", "iterations=3")
    assert "iterations_completed: 3" in done.stdout
    unknown = ktrdr.run("run", "backtest", expect=5)
    assert f"there are {', '.join(sorted(KINDS))}" in unknown.stderr
    assert "--set `x` is not KEY=VALUE" in ktrdr.run("run", "dummy", "--set", "x", expect=2).stderr
    assert "`colour`" in ktrdr.run("run", "dummy", "--set", "colour=red", expect=2).stderr


def test_what_a_worker_logged_can_be_read_and_followed(ktrdr: Ktrdr) -> None:
    ktrdr.run(*SHORT)
    log = ktrdr.settings.state_dir / "ops" / ktrdr.operations()[0]["operation_id"] / "worker.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("first \x1b[31mline\nsecond line\nhalf a l")
    words = "first \\e[31mline\nsecond line\nhalf a l\n"
    assert ktrdr.run("operations", "logs", "@last").stdout == words
    assert ktrdr.run("operations", "logs", "@last", "--follow").stdout == words
    log.write_text('{"ts": "2026-01-01T10:11:12+00:00", "level": "info", "source": "x", "message": "one"}\n')
    assert ktrdr.run("operations", "logs", "@last").stdout == "10:11:12 info    one\n"
    followed = ktrdr.run("operations", "follow", "@last", "--logs")
    assert "10:11:12 info    one\n" in followed.stderr
    assert "one" not in ktrdr.run("operations", "follow", "@last").stderr
    log.unlink()
    assert ktrdr.run("operations", "logs", "@last").stdout == ""
