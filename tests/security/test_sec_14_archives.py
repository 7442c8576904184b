"""Threat 14: of a zip archive one plain file is read as a stream, and nothing else of it is believed."""

import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from ktrdr.errors import DataInvalid
from ktrdr.market_data.import_options import Portions
from support.imports import Importer
from support.source_files import zipped

CSV = b"Date,Open,High,Low,Close\n2024-01-02,1,2,0.5,1.5\n2024-01-03,1,2,0.5,1.5\n"
LOCATOR = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


def odd(kind: int) -> bytes:
    """Return an archive whose only member is of a kind of file."""
    buffer = io.BytesIO()
    member = zipfile.ZipInfo("bars.csv")
    member.external_attr = (kind | 0o644) << 16
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, "/etc/passwd")
    return buffer.getvalue()


def twice() -> bytes:
    """Return an archive with one name twice."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("bars.csv", CSV)
            archive.writestr("bars.csv", b"other")
    return buffer.getvalue()


def protected() -> bytes:
    """Return an archive that says that it is encrypted."""
    data = bytearray(zipped({"bars.csv": CSV}))
    for place in (6, data.rfind(b"PK\x01\x02") + 8):
        data[place] |= 1
    return bytes(data)


def crowded() -> bytes:
    """Return an archive whose list of files claims to be longer than any that is read."""
    data = bytearray(zipped({"bars.csv": CSV}))
    struct.pack_into("<L", data, len(data) - 10, 2**30)
    return bytes(data)


def doubled() -> bytes:
    """Return an archive with a second record of its size before the one that is looked at."""
    data = zipped({"bars.csv": CSV})
    return data[:-22] + LOCATOR + data[-22:]


def lzma() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("bars.csv", CSV)
    return buffer.getvalue()


EVIL = {
    "absolute": (zipped({"/etc/bars.csv": CSV}), "`/etc/bars.csv` in the zip archive is no plain file name"),
    "upwards": (zipped({"../../bars.csv": CSV}), "is no plain file name"),
    "upwards on Windows": (zipped({"..\\bars.csv": CSV}), "is no plain file name"),
    "a drive": (zipped({"C:\\bars.csv": CSV}), "is no plain file name"),
    "a link": (odd(stat.S_IFLNK), "is a link or a device"),
    "a device": (odd(stat.S_IFCHR), "is a link or a device"),
    "several": (zipped({"a.csv": CSV, "b.csv": CSV}), "there are 2 files in the zip archive"),
    "one name twice": (twice(), "there are 2 files in the zip archive"),
    "a folder only": (zipped({"bars/": b""}), "there is no file in the zip archive"),
    "nothing": (zipped({}), "there is no file in the zip archive"),
    "protected": (protected(), "protected by a password"),
    "packed in an unusual way": (lzma(), "packed in an unusual way"),
    "too many files": (crowded(), "has too many files or is too large"),
    "a second size": (doubled(), "has too many files or is too large"),
    "cut": (zipped({"bars.csv": CSV})[:-30], "the zip file cannot be read"),
    "a bomb": (zipped({"bars.csv": CSV + b"2024-01-04,1,2,0.5,1.5\n" * 3_000_000}), "unpacks to more than"),
}


@pytest.mark.parametrize("name", EVIL)
def test_sec_14_an_evil_archive_is_refused_and_leaves_nothing(importer: Importer, name: str) -> None:
    data, words = EVIL[name]
    with pytest.raises(DataInvalid, match=words):
        importer(data, Portions())
    assert {path.name for path in importer.folder.iterdir()} <= {"upload", "refused.csv"}


def test_sec_14_one_plain_file_is_read_whatever_is_beside_it_for_macs(importer: Importer) -> None:
    data = zipped({"export/": b"", "export/bars.csv": CSV, "__MACOSX/export/._bars.csv": b"\0"})
    assert importer(data).bars["X"].height == 2
