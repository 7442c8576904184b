"""Files that are no bars as they stand: each kind is told by its first bytes and named with the way out."""

from collections.abc import Sequence
from dataclasses import dataclass

from ktrdr.errors import DataInvalid

LONGEST_MARK = 512
AS_PARQUET = """python -c "import polars; polars.read_ipc('FILE').write_parquet('FILE.parquet')" makes one"""
FROM_PANDAS = "read it with pandas and save it with to_parquet or to_csv"
UNPACK = "unpack it and import what is in it"


@dataclass(frozen=True, slots=True)
class _Kind:
    """The bytes that a kind of file begins with, what it is called, and what to do with it."""

    marks: tuple[bytes, ...]
    name: str
    way_out: str


KINDS: Sequence[_Kind] = (
    _Kind((b"ARROW1", b"FEA1"), "a Feather (Arrow) file", f"save it as Parquet: {AS_PARQUET}"),
    _Kind((b"\xd0\xcf\x11\xe0",), "an older Excel workbook", "save it as CSV in the spreadsheet"),
    _Kind((b"\x89HDF",), "an HDF5 file", FROM_PANDAS),
    _Kind((b"\x80\x03", b"\x80\x04", b"\x80\x05"), "a pickle", FROM_PANDAS),
    _Kind((b"\x93NUMPY",), "a NumPy array", "save it as CSV with the names of its columns"),
    _Kind((b"SQLite format 3\0",), "an SQLite database", "save the table of bars as CSV"),
    _Kind((b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!"), "packed", UNPACK),
    _Kind(
        (b"\xff\xfe", b"\xfe\xff"),
        "UTF-16 text",
        "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > FILE.csv does",
    ),
    _Kind((b"PAR1",), "a Parquet file in an archive", UNPACK),
    _Kind((b"%PDF",), "a PDF document", "save the table as CSV"),
)
WEB_PAGE = _Kind((b"<!doctype", b"<html", b"<?xml"), "a web page", "download the file itself, not the page")
JSON = _Kind((b"{", b"["), "JSON", FROM_PANDAS)


def refuse_foreign(begun: bytes) -> None:
    """Raise DataInvalid, naming the way out, for a file that begins as no CSV does, be it packed or not."""
    text = begun[:LONGEST_MARK].lstrip().lower()
    found = next((each for each in KINDS if begun.startswith(each.marks)), None)
    found = found or next((each for each in (WEB_PAGE, JSON) if text.startswith(each.marks)), None)
    if found is not None:
        raise DataInvalid(f"this is {found.name} and no CSV file", hint=found.way_out)
