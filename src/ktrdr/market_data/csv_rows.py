"""The rows of a CSV file of any size, a block at a time."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.csv_blocks import LineBlocks
from ktrdr.market_data.csv_fast import read_plain_rows
from ktrdr.market_data.csv_text import NO_BAR, decoded, find_separator, read_header, read_text_rows
from ktrdr.market_data.import_offences import offences
from ktrdr.market_data.import_options import LINE, ImportOptions, assign_columns
from ktrdr.market_data.import_source import RowSource, WrittenRows


class CsvRows(RowSource):
    """Reads blocks quickly where they are plain, and exactly where they are not; both say the same."""

    noun = "line"
    nothing = NO_BAR

    def __init__(self, path: Path, options: ImportOptions, block: int) -> None:
        self._blocks = LineBlocks(path, block)
        self._decimal_comma = options.decimal_comma
        try:
            self._begin(options)
        except DataInvalid:
            self.close()
            raise

    def _begin(self, options: ImportOptions) -> None:
        first = decoded(self._blocks.next_line(), 1)
        self._separator = options.separator or find_separator(first)
        self.header = read_header(first, self._separator)
        self._begun = self._blocks.next_block()
        if not self._begun:
            raise DataInvalid(NO_BAR, hint="nothing was written")
        self.columns = assign_columns(self.header, options, "line 1: ")

    def chunks(self) -> Iterator[WrittenRows]:
        """Yield the rows of each block; raises DataInvalid, naming the line, for what is not CSV."""
        block, number = self._begun, 2
        while block:
            rows, number = self._read(block, number)
            yield rows
            block = self._blocks.next_block()

    def close(self) -> None:
        """Close the file."""
        self._blocks.close()

    def _read(self, block: bytes, number: int) -> tuple[WrittenRows, int]:
        table = read_plain_rows(
            block, number, self.header, self.columns, self._separator, decimal_comma=self._decimal_comma
        )
        if table is not None:
            return WrittenRows(table, offences([], []), self._blocks.share), number + table.height
        exact = read_text_rows(block, number, self._blocks, self.header, self._separator)
        fields = exact.table.select(LINE, *(pl.col(old).alias(new) for new, old in self.columns.items()))
        return WrittenRows(fields, exact.ragged, self._blocks.share), exact.next_line
