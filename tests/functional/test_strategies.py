"""A strategy can be written, checked and understood without provoking errors, and without any server."""

import json
import re
import shlex
from pathlib import Path

import httpx2 as httpx
import pytest

from ktrdr.settings import Settings
from ktrdr.strategies.reference.indicators import indicator_rows
from support.one_process import OneProcess, one_process

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "write-a-strategy.md"
TEXT = (Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml").read_text()


def nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a server was asked for {request.url}")


@pytest.fixture
def alone(tmp_path: Path) -> OneProcess:
    """Return a command line that may ask no server."""
    return OneProcess(Settings.load({"KTRDR_HOME": str(tmp_path / "k")}), httpx.MockTransport(nobody))


def test_every_command_of_the_guide_does_what_it_says(tmp_path: Path) -> None:
    """Also: a new strategy trains as it stands."""
    with one_process(tmp_path / "k") as ktrdr:
        for line in re.findall(r"^\$ ktrdr (.*)$", GUIDE.read_text(), re.MULTILINE):
            words = [str(tmp_path / each) if "." in each else each for each in line.split()]
            said = ktrdr.run(*words).stdout
            assert said, line
    assert "validation loss" in said


@pytest.mark.parametrize("name", ["my_first", "my first & only"])
def test_a_new_strategy_says_how_to_train_it_as_a_shell_takes_it(
    alone: OneProcess, tmp_path: Path, name: str
) -> None:
    file = tmp_path / f"{name}.yaml"
    said = alone.run("strategies", "new", str(file)).stdout.splitlines()[-1]
    assert shlex.split(said.partition(": ")[2]) == ["ktrdr", "models", "train", str(file)]


def test_a_new_strategy_has_the_name_of_its_file(alone: OneProcess, tmp_path: Path) -> None:
    file = tmp_path / "my_first.yaml"
    alone.run("strategies", "new", str(file))
    assert alone.json("strategies", "show", str(file))["name"] == "my_first"


@pytest.mark.parametrize("words", [("new",), ("schema",)])
def test_sec_35_a_file_is_never_replaced_unasked_and_never_half(
    alone: OneProcess, tmp_path: Path, words: tuple[str, ...]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("precious")
    refused = alone.run("strategies", *words, str(file), expect=2)
    assert "exists already" in refused.stderr
    assert file.read_text() == "precious"
    alone.run("strategies", *words, str(file), "--force")
    assert file.read_text() != "precious"
    assert [each.name for each in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_name_that_is_no_identifier_is_not_taken_from_the_file(alone: OneProcess, tmp_path: Path) -> None:
    file = tmp_path / "My strategy (2).yaml"
    alone.run("strategies", "new", str(file))
    assert alone.json("strategies", "show", str(file))["name"] == "my_strategy"


def test_every_mistake_is_told_at_once_to_people_and_to_programs(alone: OneProcess, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(TEXT.replace("period: 14", "perod: 14").replace("epochs: 200", "epochs: 0"))
    refused = alone.run("strategies", "validate", str(file), expect=2)
    assert f"error: {file}:5:22: unknown key `perod` in `indicators.rsi14`" in refused.stderr
    assert f"{file}:17:3: `epochs` in `training` should be at least 1" in refused.stderr
    assert refused.stdout == ""
    answered = json.loads(alone.run("strategies", "validate", str(file), "-o", "json", expect=2).stdout)
    assert answered["valid"] is False
    assert [(each["line"], each["column"], each["hint"]) for each in answered["mistakes"]] == [
        (5, 22, "did you mean `period`?"),
        (17, 3, None),
    ]


def test_doubts_are_told_at_their_places_and_are_no_mistakes(alone: OneProcess, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(TEXT.replace("[left, 20, 40]", "[left, -50, 400]").replace("0.001", "1000", 1))
    said = alone.run("strategies", "validate", str(file)).stdout.splitlines()
    assert said[0] == f"{file} is a strategy: trend_momentum"
    assert said[1].startswith(f"warning: {file}:9:11: set `oversold` of `rsi14` is always on")
    assert said[2].startswith(f"warning: {file}:20:3: `training.learning_rate` is 1000; usual is")
    assert len(alone.json("strategies", "validate", str(file))["warnings"]) == 2


def test_a_strategy_is_shown_with_every_default_and_shows_the_same_again(
    alone: OneProcess, tmp_path: Path
) -> None:
    file, again = tmp_path / "s.yaml", tmp_path / "again.yaml"
    file.write_text(TEXT)
    again.write_text(alone.run("strategies", "show", str(file)).stdout)
    assert "gradient_clip: null" in again.read_text()
    assert alone.json("strategies", "show", str(file)) == alone.json("strategies", "show", str(again))


def test_indicators_are_listed_with_all_that_is_needed_to_use_them(alone: OneProcess) -> None:
    lines = alone.run("strategies", "indicators").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [each.name for each in indicator_rows()]
    shown = alone.run("strategies", "indicators", "macd").stdout
    for words in ("line, signal, hist", "137 bars", "slow       26", "at most 1,000"):
        assert words in shown
    (answered,) = alone.json("strategies", "indicators", "rsi")["indicators"]
    assert (answered["minimum"], answered["maximum"], answered["warm_up"]) == (0, 100, 112)


def test_an_indicator_that_is_not_there_is_not_found_and_the_nearest_is_named(alone: OneProcess) -> None:
    refused = alone.run("strategies", "indicators", "mcd", expect=5)
    assert "there is no indicator `mcd`" in refused.stderr
    assert "did you mean `macd`?" in refused.stderr


def test_the_schema_comes_with_the_line_by_which_an_editor_finds_it(
    alone: OneProcess, tmp_path: Path
) -> None:
    said = alone.run("strategies", "schema", str(tmp_path / "strategy.schema.json")).stdout
    assert said.endswith("with: # yaml-language-server: $schema=strategy.schema.json\n")
    written = (tmp_path / "strategy.schema.json").read_text()
    assert json.loads(alone.run("strategies", "schema").stdout) == json.loads(written)


@pytest.mark.parametrize("command", ["validate", "show"])
def test_a_file_that_cannot_be_read_is_said_in_a_sentence(alone: OneProcess, command: str) -> None:
    assert "cannot read `nothing.yaml`" in alone.run("strategies", command, "nothing.yaml", expect=2).stderr
