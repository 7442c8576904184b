"""A broken file is one sentence and the right exit code at the command line, and nothing is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.broken_files import BROKEN_CSV, BROKEN_STRATEGY
from support.one_process import OneProcess, one_process

TEXT = (Path(__file__).parents[2] / "examples" / "strategies" / "trend_momentum.yaml").read_text()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[OneProcess]:
    with one_process(tmp_path / "k") as found:
        yield found


@pytest.mark.parametrize("name", BROKEN_CSV)
def test_a_broken_csv_fails_with_line_and_hint_and_leaves_no_bar(
    shared: OneProcess, tmp_path: Path, name: str
) -> None:
    text, words = BROKEN_CSV[name]
    file = tmp_path / "mine.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    failed = shared.run("data", "import", str(file), "MINE", expect=1)
    assert f"error: data_import failed: mine.csv, {words}" in failed.stderr
    assert "\nhint: " in failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stdout == ""
    assert not list(shared.settings.data_dir.rglob("*.parquet"))
    assert not [path for path in shared.settings.state_dir.rglob("upl*") if path.is_file()]


@pytest.mark.parametrize(("good", "bad", "words"), BROKEN_STRATEGY)
def test_a_broken_strategy_is_a_usage_error_and_nothing_is_started(
    shared: OneProcess, tmp_path: Path, good: str, bad: str, words: str
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(TEXT.replace(good, bad, 1))
    refused = shared.run("models", "train", str(file), expect=2)
    assert words.removeprefix("s.yaml:") in refused.stderr
    assert f"error: {file}:" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert shared.operations() == []
