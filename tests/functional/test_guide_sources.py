"""The guide has one line for the files of each popular source, and that line imports all of their bars."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore
from support.installation import ROOT
from support.one_process import OneProcess, one_process
from support.source_files import SOURCES, SourceFile

GUIDE = (ROOT / "docs" / "guides" / "load-data.md").read_text()
LINE = re.compile(r"^\| [^|]+ \| `ktrdr (data import [^|`]+)` \|$", re.MULTILINE)
LINES = {shlex.split(found)[2]: shlex.split(found) for found in LINE.findall(GUIDE)}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneProcess]:
    with one_process(tmp_path_factory.mktemp("sources") / "k") as found:
        yield found


def test_the_guide_has_a_line_for_each_source() -> None:
    assert list(LINES) == [source.name for source in SOURCES]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_line_of_the_guide_imports_all_bars_of_a_source(
    shared: OneProcess, tmp_path: Path, source: SourceFile
) -> None:
    (tmp_path / source.name).write_bytes(source.data)
    shared.run(*LINES[source.name], "-q", folder=tmp_path)
    words = LINES[source.name]
    timeframe = words[words.index("--timeframe") + 1] if "--timeframe" in words else "1d"
    for symbol, expected in source.bars.items():
        bars = BarStore(shared.settings.data_dir).read(Series("import", symbol, timeframe))
        written = [(f"{row[0]:%Y-%m-%d %H:%M}", *row[1:]) for row in bars.rows()]
        assert written == list(expected)
