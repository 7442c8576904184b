"""The bytes of a CSV file, plain or packed, in blocks that end where a line does."""

import gzip
from pathlib import Path
from typing import IO

from ktrdr.errors import DataInvalid
from ktrdr.market_data.importing.packed import DAMAGED, ZIP, is_zip, open_member
from ktrdr.market_data.importing.packed import damaged as damaged_zip

GZIP = b"\x1f\x8b"
LONGEST_LINE = 65_536
READ = 2**20
MOST_DECODED = 200 * 10**9
MOST_TIMES = 100
ALWAYS_ALLOWED = 64 * 2**20


class LineBlocks:
    """Cuts a file into blocks of whole lines; only a block and what is left of the next are held."""

    def __init__(self, path: Path, block: int, most_decoded: int = MOST_DECODED) -> None:
        self._file = path.open("rb")
        self._size = path.stat().st_size
        begun = self._file.read(len(ZIP))
        self._file.seek(0)
        self._is_zip = is_zip(begun)
        self._is_packed = self._is_zip or begun.startswith(GZIP)
        try:
            self._stream = self._opened(path)
        except DataInvalid:
            self._file.close()
            raise
        allowed = min(most_decoded, max(MOST_TIMES * self._size, ALWAYS_ALLOWED))
        self._most = allowed if self._is_packed else None
        self._decoded = 0
        self._block = block
        self._rest = b""

    @property
    def share(self) -> float:
        """Return the share of the file's bytes that was read."""
        ahead = 0 if self._is_packed else len(self._rest)
        return (self._file.tell() - ahead) / self._size if self._size else 1.0

    def next_block(self) -> bytes:
        """Return the next lines, none at the end; a block without a line end is one line that is too long."""
        data = self._rest
        if len(data) < self._block:
            data += self._read(self._block - len(data))
        while b"\n" not in data and len(data) <= LONGEST_LINE and (more := self._read(self._block)):
            data += more
        return self._cut(data, data.rfind(b"\n", 0, self._block) + 1 or data.find(b"\n") + 1 or len(data))

    def next_line(self) -> bytes:
        """Return the next line with its end, or as much of it as shows that it is too long."""
        data = self._rest
        while (
            b"\n" not in data and len(data) <= LONGEST_LINE and (more := self._read(min(READ, self._block)))
        ):
            data += more
        return self._cut(data, data.find(b"\n") + 1 or LONGEST_LINE + 1)

    def head(self, count: int) -> list[bytes]:
        """Return the first lines, and go back to before them."""
        lines: list[bytes] = []
        while len(lines) < count and (line := self.next_line()):
            lines.append(line)
        self._rest = b"".join(lines) + self._rest
        return lines

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _cut(self, data: bytes, end: int) -> bytes:
        self._rest = data[end:]
        return data[:end]

    def _opened(self, path: Path) -> IO[bytes]:
        if self._is_zip:
            return open_member(path, self._file)
        # mypy: a gzip file reads as a binary one does, though it is declared as none
        return gzip.GzipFile(fileobj=self._file) if self._is_packed else self._file  # type: ignore[return-value]  # it reads as one

    def _read(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except DAMAGED as error:
            if self._is_zip:
                raise damaged_zip(error) from None
            hint = "pack it again, or give the plain CSV file"
            raise DataInvalid(f"the gzip file is damaged: {error}", hint=hint) from None
        self._decoded += len(data)
        if self._most is not None and self._decoded > self._most:
            words = f"it unpacks to more than {self._most:,} bytes"
            raise DataInvalid(words, hint="unpack it and give the plain CSV file")
        return data
