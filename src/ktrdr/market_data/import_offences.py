"""What is wrong with a file, line by line: the first ten are kept in memory, all of them in a CSV file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.import_options import LINE
from ktrdr.market_data.ingest import FIRST_OFFENDERS

ALL_OR_NONE = "nothing was written; --quarantine sets wrong lines aside and keeps the rest"
OFFENCES: dict[str, type[pl.DataType]] = {"line": pl.Int64, "words": pl.String, "hint": pl.String}


@dataclass(frozen=True, slots=True)
class Fault:
    """Which rows [n] of a table break one rule, and the words for it.

    With `column` and `written` [n] the words follow after the value: column `Close`: `n/a` is not a number.
    """

    broken: pl.Series
    words: str
    hint: str = ALL_OR_NONE
    column: str = ""
    written: pl.Series | None = None

    def offences(self, lines: pl.Series) -> pl.DataFrame:
        """Return line, words and hint of the broken rows; `lines` [n] tells where each row is."""
        words: list[str] | str = self.words
        if self.written is not None:
            values = self.written.filter(self.broken).cast(pl.String).fill_null("").str.strip_chars()
            words = [f"column `{self.column}`: `{value[:40]}` {self.words}" for value in values]
        return offences(lines.filter(self.broken).to_list(), words, self.hint)


def offences(lines: Sequence[int], words: Sequence[str] | str, hint: str = ALL_OR_NONE) -> pl.DataFrame:
    """Return a table of offences; one text is said of every line."""
    said = [words] * len(lines) if isinstance(words, str) else words
    return pl.DataFrame({"line": lines, "words": said, "hint": [hint] * len(lines)}, schema=OFFENCES)


def split_faulty(rows: pl.DataFrame, faults: Sequence[Fault]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the good rows, and the first offence of every other one by line."""
    found = [each for each in faults if each.broken.any()]
    if not found:
        return rows, offences([], [])
    told = pl.concat([each.offences(rows[LINE]) for each in found])
    wrong = pl.select(pl.any_horizontal(each.broken for each in found)).to_series()
    return rows.filter(~wrong), told.unique("line", keep="first", maintain_order=True).sort("line")


class Offences:
    """Counts offences, keeps the first ten by line, and writes all of them to a CSV file if one is given."""

    def __init__(self, noun: str, file: Path | None) -> None:
        self.count = 0
        self._noun = noun
        self._first = offences([], [])
        self._file: BinaryIO | None = None
        if file is not None:
            self._file = file.open("wb")
            self._file.write(f"{noun},reason\n".encode())

    def add(self, found: pl.DataFrame) -> None:
        """Take offences of lines that were not told before."""
        if found.is_empty():
            return
        self.count += found.height
        self._first = pl.concat([self._first, found]).sort("line", maintain_order=True).head(FIRST_OFFENDERS)
        if self._file is not None:
            found.select("line", "words").write_csv(self._file, include_header=False)

    @property
    def is_full(self) -> bool:
        """Tell whether the first ten are known, as long as lines come in order."""
        return self._first.height >= FIRST_OFFENDERS

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return the first ten as text."""
        return tuple(
            f"{self._noun} {line}: {words}" for line, words in self._first.select("line", "words").rows()
        )

    def error(self, hint: str | None = None) -> DataInvalid:
        """Return the first ten as an error, with a hint or that of the first."""
        first, *others = self.sentences
        return DataInvalid(first, detail=others, hint=hint or self._first["hint"][0])

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
