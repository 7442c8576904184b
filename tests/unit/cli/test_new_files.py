"""Files of the user: whole or not at all, with the user's own permissions, never over another one unasked."""

import os
import stat
from pathlib import Path

import pytest

from ktrdr.cli.new_files import new_file, refuse_existing
from ktrdr.errors import InputInvalid


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    umask = os.umask(0o027)
    try:
        with new_file(file, force=False) as stream:
            stream.write(b"abc")
            assert not file.exists()
    finally:
        os.umask(umask)
    assert file.read_bytes() == b"abc"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_not_finished_never_was(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), new_file(file, force=True) as stream:
        stream.write(b"abc")
        raise ZeroDivisionError
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_came_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    with pytest.raises(InputInvalid, match="exists already"), new_file(file, force=False) as stream:
        stream.write(b"abc")
        file.write_bytes(b"theirs")
    assert file.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [file]


def test_a_directory_that_takes_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="cannot write"), new_file(Path("/proc/x.csv"), force=False):
        pass
    for file, words in ((tmp_path, "is no file"), (tmp_path / "no" / "x", "there is no directory")):
        with pytest.raises(InputInvalid, match=words):
            refuse_existing(file, force=True)
