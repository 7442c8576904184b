"""What a process loads: nobody pays for what they do not use."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.installation import Installation

SERVER = "import ktrdr.server.__main__; from ktrdr.kinds.table import load_kinds; load_kinds()"
WORKER = (
    "import ktrdr.worker.__main__; from ktrdr.worker.handlers.table import load_handler; load_handler('{0}')"
)
CLIENT = "import ktrdr.cli.commands.{0}"
COMPUTING = (
    "jax",
    "optax",
    "talib",
    "ktrdr.training",
    "ktrdr.features",
    "ktrdr.indicators",
    "ktrdr.worker.handlers",
)
SOURCES = ("pandas", "exchange_calendars", "ccxt", "yfinance", "ib_async", "requests", "curl_cffi")
SERVING = ("fastapi", "uvicorn", "ktrdr.server", "typer", "rich", "httpx2", "ktrdr.cli")
NEVER = {
    "server": (SERVER, (*COMPUTING, *SOURCES, "typer", "rich", "httpx2", "ktrdr.cli")),
    "worker of a dummy": (WORKER.format("dummy"), ("jax", "polars", "numpy", "ktrdr.market_data", *SERVING)),
    "worker of an import": (WORKER.format("data_import"), ("jax", "ktrdr.training", *SOURCES, *SERVING)),
    "worker of a load": (WORKER.format("data_load"), ("jax", "ktrdr.training", *SOURCES, *SERVING)),
    "worker of a check": (WORKER.format("data_check"), ("jax", "ktrdr.training", *SOURCES, *SERVING)),
    "worker of a training": (WORKER.format("training"), (*SOURCES[1:], *SERVING)),  # TA-Lib takes pandas
    "command data": (
        CLIENT.format("data"),
        ("jax", "polars", "numpy", "fastapi", "plotext", "ktrdr.market_data"),
    ),
    "command dummy": (CLIENT.format("dummy"), ("jax", "polars", "numpy", "fastapi", "ktrdr.strategies")),
    "command models": (CLIENT.format("models"), ("jax", "polars", "numpy", "fastapi", "ktrdr.training")),
    "command strategies": (
        CLIENT.format("strategies"),
        ("jax", "polars", "numpy", "fastapi", "pydantic", "yaml", "httpx2", "rich", "ktrdr.strategies"),
    ),
    "executor": ("import ktrdr.cli.operation_executor", ("ktrdr.kinds", "ktrdr.strategies", "pydantic")),
}

LISTING = """
import os, sys
os._exit = sys.exit
sys.argv = ["ktrdr", "operations", "list"]
from ktrdr.__main__ import main
try:
    main()
finally:
    heavy = ("pydantic", "asyncio", "httpx2", "rich.console", "psutil", "platformdirs")
    print(*(name for name in heavy if name in sys.modules))
"""


def test_a_list_from_ones_own_server_loads_no_client_no_validation_and_no_screen(ktrdr: Installation) -> None:
    ktrdr.run("server", "start")
    done = subprocess.run(
        [sys.executable, "-c", LISTING], env=ktrdr.environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("\n", "There are no operations.\n")


TRAINING_BARS = """
import sys
from pathlib import Path
from ktrdr.clock import SystemClock
from ktrdr.market_data.holes import no_holes
from ktrdr.market_data.sample import load_sample
from ktrdr.market_data.series_meta import Series, Terms
from ktrdr.market_data.store import BarStore
from ktrdr.operations.context import OperationContext
from ktrdr.strategies.strategy import DataSection
from ktrdr.worker.folders import Folders
from ktrdr.operations.progress import PhaseProgress
from ktrdr.worker.handlers.training_bars import load_training_bars

folder = Path(sys.argv[1])
BarStore(folder).replace(
    Series("import", "OWN", "1d"), [load_sample("IBM")], Terms("raw", "XNYS"),
    judge=lambda _: no_holes("XNYS"),
)
context = OperationContext(
    operation_id="op", fence=1, emit=lambda _: None, cancelled=lambda: False, clock=SystemClock(),
    work_folder=folder,
)
context.plan([PhaseProgress("Bars", 1.0)])
context.enter("Bars")
data = DataSection(symbols=("AAPL", "OWN"), timeframe="1d")
bars = load_training_bars(data, context, Folders(folder, folder, folder))
missed = {name: int(each.bars["missed"].sum()) for name, each in bars.items()}
print(missed, "exchange_calendars" in sys.modules)
"""


def test_the_bars_of_a_training_need_no_calendar(tmp_path: Path) -> None:
    """What is missing is kept with them, and the sample that comes with ktrdr knows its own."""
    code = [sys.executable, "-c", TRAINING_BARS, str(tmp_path)]
    done = subprocess.run(code, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "{'AAPL': 0, 'OWN': 0} False\n"


@pytest.mark.parametrize("process", NEVER)
def test_a_process_loads_only_what_it_uses(process: str) -> None:
    code, banned = NEVER[process]
    report = f"{code}\nimport sys\nprint(*(name for name in {banned!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
