"""The one file in a zip archive, as a stream: nothing is ever unpacked to the disk."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, BinaryIO

from ktrdr.errors import DataInvalid

ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
END = struct.Struct("<4s4H2LH")
END_MARK = b"PK\x05\x06"
LOCATOR, LOCATOR_MARK = 20, b"PK\x06\x07"
LONGEST_COMMENT = 65_535
MOST_DIRECTORY = 2**20  # bytes, some ten thousand names
SHOWN = 5
UNPACK = "unpack it, and import the CSV file in it"
OFFICE = "[Content_Types].xml"
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


def is_zip(begun: bytes) -> bool:
    """Tell whether a file that begins so is a zip archive."""
    return begun.startswith((ZIP, EMPTY_ZIP))


def open_member(path: Path, file: BinaryIO) -> IO[bytes]:
    """Return the only file of a zip archive as a stream.

    Raises DataInvalid for an archive that has several, is protected, or has names that lead elsewhere.
    """
    _refuse_large_directory(path, file)
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGED as error:
        raise damaged(error) from None
    member = _only(archive.infolist())
    try:
        return archive.open(member)
    except DAMAGED as error:
        raise damaged(error) from None


def damaged(error: Exception) -> DataInvalid:
    """Return the error of an archive that cannot be read."""
    return DataInvalid(
        f"the zip file cannot be read: {str(error)[:200] or type(error).__name__}", hint=UNPACK
    )


def _only(members: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    if any(each.filename == OFFICE for each in members):
        raise DataInvalid(
            "this is an Excel workbook and no CSV file", hint="save it as CSV in the spreadsheet"
        )
    for each in members:
        _refuse_evil(each)
    files = [each for each in members if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    if not files:
        raise DataInvalid("there is no file in the zip archive", hint="pack a CSV file into it, or give that")
    if len(files) > 1:
        names = ", ".join(f"`{each.filename[:100]}`" for each in files[:SHOWN])
        more = ", ..." if len(files) > SHOWN else ""
        hint = f"unpack it and import one after the other: {names}{more}"
        raise DataInvalid(f"there are {len(files):,} files in the zip archive", hint=hint)
    if files[0].compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise DataInvalid("the zip archive is packed in an unusual way", hint=UNPACK)
    if files[0].flag_bits & 1:
        raise DataInvalid("the zip archive is protected by a password", hint=UNPACK)
    return files[0]


def _refuse_evil(member: zipfile.ZipInfo) -> None:
    """Refuse names that lead out of a folder, and what is no plain file."""
    name, mode = member.filename, member.external_attr >> 16
    parts = {*PurePosixPath(name).parts, *PureWindowsPath(name).parts}
    leads_out = ".." in parts or PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).anchor)
    is_odd = stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}
    if leads_out or is_odd:
        words = (
            f"`{name[:100]}` in the zip archive is {'a link or a device' if is_odd else 'no plain file name'}"
        )
        raise DataInvalid(words, hint="have it packed again, with nothing but the CSV file")


def _refuse_large_directory(path: Path, file: BinaryIO) -> None:
    """Refuse an archive whose list of files would fill the memory; it is looked at before it is read."""
    size = path.stat().st_size
    file.seek(max(0, size - LOCATOR - END.size - LONGEST_COMMENT))
    tail = file.read()
    begun = tail.rfind(END_MARK)
    if begun < 0 or len(tail) - begun < END.size:
        raise damaged(zipfile.BadZipFile("its end is missing"))
    # the record of a larger archive says its size a second time, where it would be believed
    is_larger = tail[max(0, begun - LOCATOR) : begun].startswith(LOCATOR_MARK)
    directory = END.unpack_from(tail, begun)[5]
    file.seek(0)
    if is_larger or directory > MOST_DIRECTORY:
        raise DataInvalid("the zip archive has too many files or is too large to be read", hint=UNPACK)
