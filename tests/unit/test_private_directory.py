"""A folder is private if nobody else can enter it, and nobody else can put another one in its place."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrdr.errors import InputInvalid
from ktrdr.private_directory import (
    NotMade,
    check_above,
    check_private,
    first_private,
    others_may_rename_in,
    private_directory,
    tightened_directory,
)

US = os.getuid()
OTHERS = 54321
OUR_GROUP = next(
    (each.gr_gid for each in grp.getgrall() if each.gr_name == pwd.getpwuid(US).pw_name and not each.gr_mem),
    None,
)


def folder(mode: int, *, user: int = US, group: int = OTHERS) -> os.stat_result:
    """Return what the system says of a folder."""
    return os.stat_result((stat.S_IFDIR | mode, 1, 1, 2, user, group, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "may"),
    [(0o700, False), (0o755, False), (0o777, True), (0o757, True), (0o775, True), (0o1777, False)],
)
def test_who_may_rename_what_is_in_a_folder(mode: int, may: bool) -> None:
    assert others_may_rename_in(folder(mode), US) is may


def test_a_group_of_the_users_own_is_nobody_else() -> None:
    """As with a umask of 002, which is usual where each user has such a group."""
    group = OTHERS if OUR_GROUP is None else OUR_GROUP
    assert others_may_rename_in(folder(0o775, group=group), US) is (OUR_GROUP is None)
    assert others_may_rename_in(folder(0o775, group=group), OTHERS)
    assert others_may_rename_in(folder(0o777, group=group), US)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_made_is_closed_to_others_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        private_directory(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
    assert [stat.S_IMODE(each.stat().st_mode) for each in made] == [0o700] * 3


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a private folder below one that a test opens."""
    private_directory(tmp_path / "above" / "home")
    return tmp_path / "above" / "home"


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o733])
def test_sec_02_a_folder_above_in_which_others_may_rename_is_refused(home: Path, mode: int) -> None:
    home.parent.chmod(mode)
    for check in (check_private, private_directory, tightened_directory):
        with pytest.raises(InputInvalid, match=r"other users can rename what is in the directory .*/above`"):
            check(home)
    home.parent.chmod(mode | stat.S_ISVTX)
    check_private(home)


def test_sec_02_what_a_link_leads_through_is_checked_as_well(home: Path, tmp_path: Path) -> None:
    """The name is safe, the place that it stands for is not."""
    (tmp_path / "link").symlink_to(home.parent)
    check_private(tmp_path / "link" / "home")
    home.parent.chmod(0o777)
    with pytest.raises(InputInvalid, match="other users can rename"):
        check_private(tmp_path / "link" / "home")


def test_sec_02_a_link_in_the_place_of_the_folder_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home)
    for check in (check_private, private_directory):
        with pytest.raises(InputInvalid, match="is not private to you"):
            check(tmp_path / "link")


def test_a_folder_that_was_moved_to_another_disk_is_tightened_there(home: Path, tmp_path: Path) -> None:
    """Behind a link of its owner; not where others may put another link in its place."""
    (tmp_path / "mine").mkdir(mode=0o700)
    link = tmp_path / "mine" / "link"
    link.symlink_to(home)
    home.chmod(0o755)
    tightened_directory(link)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    link.parent.chmod(0o777)
    with pytest.raises(InputInvalid, match="other users can rename what is in the directory"):
        tightened_directory(link)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Return a folder and a user who neither owns it nor is root, or is root where it is not root's.

    Root can give a folder away; to everybody else's folder, another user is a stranger.
    """
    path = tmp_path / "theirs"
    (path / "inner").mkdir(mode=0o700, parents=True)
    path.chmod(0o700)
    owner, user = (OTHERS, US) if US == 0 else (US, OTHERS)
    os.chown(path, owner, -1)
    yield path, user
    os.chown(path, US, -1)


def test_sec_02_a_folder_of_another_user_is_refused(theirs: tuple[Path, int]) -> None:
    path, user = theirs
    with pytest.raises(InputInvalid, match="is not private to you") as refused:
        private_directory(path, user)
    assert refused.value.hint
    assert refused.value.hint.startswith(f"run this as the user it belongs to (uid {path.stat().st_uid})")


def test_sec_02_a_folder_above_that_belongs_to_another_user_is_refused(theirs: tuple[Path, int]) -> None:
    path, user = theirs
    with pytest.raises(InputInvalid, match=f"`{path}`, above .*, belongs to another user"):
        check_above(path / "inner", user)


def test_a_folder_of_ours_that_others_could_enter_is_closed_to_them(home: Path) -> None:
    home.chmod(0o777)
    with pytest.raises(InputInvalid, match="is not private to you"):
        private_directory(home)
    tightened_directory(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_what_cannot_be_made_gives_way_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    possible = tmp_path / "possible"
    assert first_private((tmp_path / "file" / "x", possible)) == possible
    with pytest.raises(NotMade, match=f"the directory `{tmp_path}/file/x` cannot be made: Not a directory"):
        first_private((tmp_path / "file" / "x",))


def test_sec_02_what_is_there_and_not_private_does_not(tmp_path: Path) -> None:
    """A folder that somebody prepared is told of, never walked around in silence."""
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared").chmod(0o777)
    with pytest.raises(InputInvalid, match="is not private to you"):
        first_private((tmp_path / "prepared", tmp_path / "possible"))
    assert not (tmp_path / "possible").exists()
