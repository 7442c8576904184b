"""`--output json`: what is refused, or never began, is one object on standard output too."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.installation import ROOT, Installation
from support.one_process import OneProcess, one_process
from support.surface import commands

STRATEGY = str(ROOT / "examples" / "strategies" / "trend_momentum.yaml")
NO_SERVER = ("--url", "nonsense")
WITHOUT_JSON = {("operations", "logs"), ("operations", "watch")}
WITHOUT_COMMAND = {(), ("models",), ("data",), ("operations",), ("server",), ("dummy",)}
SHAPE = {"code", "detail", "hint", "lines"}
COMMANDS = sorted(set(commands()) - WITHOUT_COMMAND - WITHOUT_JSON)


def refused(ktrdr: OneProcess, *arguments: str, code: int) -> dict[str, Any]:
    """Run a command that is refused; return its error, which is told in one object and to people."""
    done = ktrdr.run(*arguments, "--output", "json", expect=code)
    told = json.loads(done.stdout)
    assert told["exit_code"] == code
    error: dict[str, Any] = told["error"]
    assert set(error) == SHAPE
    assert error["detail"] in done.stderr
    return error


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneProcess]:
    with one_process(tmp_path_factory.mktemp("errors") / "k") as ktrdr:
        yield ktrdr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_tells_programs_that_it_was_used_wrongly(
    here: OneProcess, command: tuple[str, ...]
) -> None:
    error = refused(here, *command, "--nonsense", code=2)
    assert error["code"] == "usage"
    assert "--nonsense" in error["detail"]
    assert error["hint"]


@pytest.mark.parametrize(
    ("command", "code", "name"),
    [
        (("operations", "list", *NO_SERVER), 2, "input_invalid"),
        (("operations", "list", "--active", "--status", "failed"), 2, "input_invalid"),
        (("operations", "wait"), 2, "input_invalid"),
        (("operations", "status", "nope"), 5, "not_found"),
        (("operations", "follow", "nope"), 5, "not_found"),
        (("operations", "retry", "nope"), 5, "not_found"),
        (("models", "train", "nothing.yaml"), 2, "input_invalid"),
        (("models", "train", STRATEGY, *NO_SERVER), 2, "input_invalid"),
        (("models", "show", "nope"), 5, "not_found"),
        (("data", "show", "NOPE"), 5, "not_found"),
        (("data", "show", "AAPL", "--chart"), 2, "input_invalid"),
        (("data", "import", "nothing.csv", "X"), 2, "input_invalid"),
        (("dummy", "run", *NO_SERVER), 2, "input_invalid"),
        (("run", "nothing"), 5, "not_found"),
    ],
)
def test_what_is_refused_is_told_to_programs(
    here: OneProcess, command: tuple[str, ...], code: int, name: str
) -> None:
    assert refused(here, *command, code=code)["code"] == name


@pytest.mark.parametrize("output", [("-o", "json"), ("--output=json",), ("-ojson",)])
def test_however_the_output_is_asked_for(here: OneProcess, output: tuple[str, ...]) -> None:
    told = json.loads(here.run("dummy", "run", "--nonsense", *output, expect=2).stdout)
    assert (told["exit_code"], told["error"]["code"]) == (2, "usage")


def test_a_start_that_no_server_took_is_told_with_its_id(here: OneProcess) -> None:
    def unreachable(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.UnsupportedProtocol("not a way to any server", request=request)

    cut_off = OneProcess(here.settings, httpx2.MockTransport(unreachable))
    done = cut_off.run("dummy", "run", "-o", "json", "--progress", "none", expect=69)
    told = json.loads(done.stdout)
    assert (told["status"], told["exit_code"]) == ("not_started", 69)
    assert told["error"]["code"] == "server_unreachable"
    assert told["error"]["detail"] in done.stderr
    assert told["error"]["hint"]


def test_what_cannot_be_cancelled_is_told_beside_what_can(here: OneProcess) -> None:
    command = ("operations", "cancel", "nope", "--output", "json")
    told = json.loads(here.run(*command, expect=5).stdout)
    assert told["operations"] == []
    assert [each["code"] for each in told["errors"]] == ["not_found"]


def test_an_error_of_our_own_is_told_to_programs(tmp_path: Path) -> None:
    """Something nobody foresaw: here settings that are none."""
    code = "from ktrdr.cli.app import main; main(['operations', 'list', '-o', 'json'], surroundings=1)"
    ktrdr = Installation(tmp_path / "home")
    done = subprocess.run(
        [ktrdr.python, "-c", code], env=ktrdr.environment, capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["exit_code"], told["error"]["code"]) == (70, 70, "internal")
    assert set(told["error"]) == SHAPE


def test_what_failed_on_the_server_is_told_in_the_same_shape(here: OneProcess) -> None:
    done = here.run("models", "train", STRATEGY, "TSLA", "-o", "json", "--progress", "none", expect=1)
    error = json.loads(done.stdout)["error"]
    assert set(error) >= SHAPE
    assert (error["code"], error["lines"]) == ("data_invalid", [])


def test_every_mistake_is_told_where_lines_are_wanted_too(here: OneProcess, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(Path(STRATEGY).read_text().replace("epochs: 200", "epochs: 0").replace("lags:", "lag:"))
    done = here.run("models", "train", str(file), "-o", "ndjson", expect=2)
    data = json.loads(done.stdout.splitlines()[0])["data"]
    assert data["code"] == "strategy_invalid"
    told = "\n".join((data["message"], *data["lines"]))
    assert "`lag`" in told
    assert "`epochs`" in told
