"""Row 32: a worker gets its channel, its log, and of the operator's keys those of its own provider alone."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ktrdr.kinds.table import load_kinds
from ktrdr.market_data.providers.settings import VARIABLES
from ktrdr.operations.engine import Assignment
from ktrdr.operations.events import LeaseLost
from ktrdr.server.engines.local_process import LocalProcessEngine
from ktrdr.server.environment import WorkerEnvironment, worker_variables
from ktrdr.settings import Settings
from ktrdr.strategies.provider_name import PROVIDERS
from support.installation import ROOT

TOLD = {name: f"canary-{name}" for name in VARIABLES}
CCXT = {"KTRDR_CCXT_KEY", "KTRDR_CCXT_SECRET", "KTRDR_CCXT_EXCHANGE"}
IB = {"KTRDR_IB_ADDRESS", "KTRDR_IB_CLIENT_ID"}
STRATEGY = ROOT / "examples" / "strategies" / "trend_momentum.yaml"


def environment(kept: set[str]) -> WorkerEnvironment:
    surroundings = {
        "HOME": "/home/x",
        "KTRDR_HOME": "/k",
        "KTRDR_TOKEN": "canary-token",
        "AWS_KEY": "x",
        **TOLD,
    }
    settings = Settings.load(surroundings)
    usual = worker_variables(settings, surroundings)
    return WorkerEnvironment(usual, settings.provider_variables, load_kinds(), lambda: kept)


@pytest.mark.parametrize(
    ("kind", "request_", "kept", "expected"),
    [
        ("dummy", {}, {"ccxt"}, set()),
        ("data_check", {"symbol": "BTC/USDT", "provider": "ccxt"}, {"ccxt"}, set()),
        ("data_load", {"symbols": ["A"], "provider": "sample"}, {"ccxt", "ib"}, set()),
        ("data_load", {"symbols": ["A"], "provider": "ccxt:kraken"}, {"ib"}, CCXT),
        ("data_load", {"symbols": ["A"], "provider": "ib"}, set(), IB),
        ("data_load", {"symbols": ["A"], "provider": "csv"}, set(), {"KTRDR_CSV_FOLDER"}),
        ("data_load", {"symbols": ["A"], "provider": "parquet"}, set(), {"KTRDR_PARQUET_FOLDER"}),
        ("data_load", {"symbols": ["A"]}, {"import", "ib"}, IB),
        ("data_load", {"symbols": "what an earlier build took"}, {"ccxt"}, set()),
        ("training", {"strategy_name": "s", "strategy": "no strategy"}, {"ccxt"}, set()),
    ],
)
def test_sec_32_a_worker_is_told_the_keys_of_its_provider_and_no_others(
    kind: str, request_: dict[str, Any], kept: set[str], expected: set[str]
) -> None:
    given = environment(kept)(Assignment("op_x_aaaaaaaaaaaa", kind, 1, request_))
    assert {name for name in given if name in TOLD} == expected
    assert not any("token" in value for value in given.values())
    assert "AWS_KEY" not in given
    assert given["KTRDR_HOME"] == "/k"


@pytest.mark.parametrize("named_by", ["request", "strategy"])
def test_sec_32_a_training_is_told_the_keys_of_the_provider_it_names(named_by: str) -> None:
    text = STRATEGY.read_text()
    request: dict[str, Any] = {"strategy_name": "s", "strategy": text}
    if named_by == "request":
        request["provider"] = "ib"
    else:
        request["strategy"] = text.replace("data: {", "data: {provider: ib, ", 1)
    given = environment({"ccxt"})(Assignment("op_x_aaaaaaaaaaaa", "training", 1, request))
    assert {name for name in given if name in TOLD} == IB


def test_every_variable_for_providers_is_named_after_one() -> None:
    assert {name.split("_")[1].lower() for name in VARIABLES} <= set(PROVIDERS)


@pytest.mark.anyio
async def test_sec_32_a_worker_has_its_channel_its_log_and_nothing_else_open(tmp_path: Path) -> None:
    """Whatever the server has open, and would hand on to a program that it starts."""
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)
    tell = (
        "import json, os, sys\n"
        "opened = {each: os.readlink(f'/proc/self/fd/{each}') for each in os.listdir('/proc/self/fd')\n"
        "          if os.path.lexists(f'/proc/self/fd/{each}')}\n"
        "print(json.dumps([sys.argv[1], opened, sorted(os.environ)]))\n"
    )
    engine = LocalProcessEngine(tmp_path, lambda _: {"ONLY": "this"}, program=(sys.executable, "-c", tell))
    assignment = Assignment("op_x_aaaaaaaaaaaa", "dummy", 1, {})
    (ending,) = [event async for event in engine.run(assignment)]
    os.close(lock)
    assert isinstance(ending, LeaseLost)
    log = Path(engine.log_path(assignment.operation_id))
    channel, opened, variables = json.loads(log.read_text())
    assert opened.pop(channel).startswith("socket:")
    assert opened == {"0": "/dev/null", "1": str(log), "2": str(log)}
    assert set(variables) <= {"ONLY", "LC_CTYPE"}  # Python sets the latter itself
