"""The port behind which the rows of a file are read: what is written, and where."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from ktrdr.market_data.importing.layout import Layout


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """Some rows as the file has them: `LINE` and the fields, as text or as they are typed.

    `ragged` are the offences of lines that are no rows; `share` is how much of the file was read.
    """

    table: pl.DataFrame
    ragged: pl.DataFrame
    share: float


class RowSource(ABC):
    """A file of rows. `noun` is what its rows are called, `nothing` what is said if there are none.

    `layout` tells from which columns the fields are read, `skipped` are lines before them, to be told.
    """

    noun: ClassVar[str]
    nothing: ClassVar[str]
    layout: Layout
    skipped: tuple[str, ...] = ()

    @abstractmethod
    def chunks(self) -> Iterator[WrittenRows]:
        """Yield the rows in the order of the file; raises DataInvalid if it is damaged."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""


def one_ahead(chunks: Iterator[WrittenRows]) -> Generator[WrittenRows, None, None]:
    """Yield chunks while the next one is being read in another thread; errors come where they belong.

    Whoever stops early has to close this before the file.
    """
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = thread.submit(next, chunks, None)
            yield chunk
