"""The rows of a CSV file of any size, a block at a time."""

from collections.abc import Iterator
from pathlib import Path

from ktrdr.errors import DataInvalid
from ktrdr.market_data.csv_blocks import LONGEST_LINE, LineBlocks
from ktrdr.market_data.csv_fast import read_plain_rows
from ktrdr.market_data.csv_text import decoded, read_text_rows
from ktrdr.market_data.import_offences import offences
from ktrdr.market_data.import_options import ImportOptions
from ktrdr.market_data.import_source import RowSource, WrittenRows
from ktrdr.market_data.importing.foreign import refuse_foreign
from ktrdr.market_data.importing.heading import find_heading
from ktrdr.market_data.importing.layout import RowShape

HEAD = 24


class CsvRows(RowSource):
    """Reads blocks quickly where they are plain, and exactly where they are not; both say the same.

    With `as_text` numbers are not parsed, as they may be written in a way of their own.
    """

    noun = "line"
    nothing = "there is no bar in it"

    def __init__(self, path: Path, options: ImportOptions, block: int, *, as_text: bool = False) -> None:
        self._blocks = LineBlocks(path, block)
        try:
            self._begin(options, as_text=as_text)
        except DataInvalid:
            self.close()
            raise

    def _begin(self, options: ImportOptions, *, as_text: bool) -> None:
        lines = self._blocks.head(HEAD + (options.skip_lines or 0))
        refuse_foreign(b"".join(lines[:1]))
        heading = find_heading([_peeked(line, number) for number, line in enumerate(lines)], options)
        self.layout, self.skipped = heading.layout, heading.skipped
        numbers = frozenset[int]() if as_text else self.layout.numbers
        self._shape = RowShape(len(self.layout.names), heading.separator, self.layout.places, numbers)
        for _ in range(heading.lines):
            self._blocks.next_line()
        self._first = heading.lines + 1

    def chunks(self) -> Iterator[WrittenRows]:
        """Yield the rows of each block; raises DataInvalid, naming the line, for what is not CSV."""
        number = self._first
        while block := self._blocks.next_block():
            rows, number = self._read(block, number)
            yield rows

    def close(self) -> None:
        """Close the file."""
        self._blocks.close()

    def _read(self, block: bytes, number: int) -> tuple[WrittenRows, int]:
        table = read_plain_rows(block, number, self._shape)
        if table is not None:
            rows = WrittenRows(self.layout.arranged(table), offences([], []), self._blocks.share)
            return rows, number + table.height
        exact = read_text_rows(block, number, self._blocks, self._shape)
        rows = WrittenRows(self.layout.arranged(exact.table), exact.ragged, self._blocks.share)
        return rows, exact.next_line


def _peeked(line: bytes, number: int) -> str:
    """Return one of the first lines as text; only what is wrong with the very first one is told here."""
    if number == 0 and (b"\0" in line or len(line) > LONGEST_LINE):
        return decoded(line, 1)
    try:
        return line.decode("utf-8-sig" if number == 0 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        # names of columns as older spreadsheets write them; what is read of the rows is digits
        return line.decode("cp1252", errors="replace").rstrip("\r\n")
