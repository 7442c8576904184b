"""Folders that only their owner can enter or replace, checked before anything in them is trusted.

A folder is private if it is ours, closed to everybody else, and no other user can rename it: each folder
above belongs to us or to root, and others may write to it only where they cannot rename what is not theirs
(the sticky bit). A group of which only we are a member, as many systems give to each user, is not others.
"""

import grp
import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ktrdr.errors import InputInvalid

ROOT = 0
PRIVATE = 0o700
HINT = "set KTRDR_HOME to a directory of your own"


class NotMade(InputInvalid):
    """A folder is missing and cannot be made, or is no longer to be had."""


def private_directory(path: Path, user: int | None = None) -> None:
    """Make the folder, and those above it that are missing; raises InputInvalid if it is not private."""
    _make(path)
    check_private(path, user)


def first_private(folders: Sequence[Path]) -> Path:
    """Return the first folder that can be made; raises InputInvalid for one that is there, not private."""
    *others, last = folders
    for each in others:
        with suppress(NotMade):
            private_directory(each)
            return each
    private_directory(last)
    return last


def tightened_directory(path: Path) -> None:
    """Make a folder private, also one of ours that others could enter; raises InputInvalid if that fails.

    It may be a link: where a user keeps much, it is often moved to another disk.
    """
    real = Path(os.path.realpath(path))
    _make(real)
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(descriptor).st_uid == os.getuid() and os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, PRIVATE)
        finally:
            os.close(descriptor)
        check_above(path / "anything", os.getuid())
    except OSError as error:
        raise _not_made(path, error) from None
    check_private(real)


def check_private(path: Path, user: int | None = None) -> None:
    """Raise InputInvalid unless the folder is private to the user: who runs this, if none is given."""
    owner = os.getuid() if user is None else user
    try:
        if way_out := _way_out(path.lstat(), path, owner):
            raise InputInvalid(f"the directory `{path}` is not private to you", hint=f"{way_out}, or {HINT}")
        check_above(path, owner)
    except OSError as error:
        raise _not_made(path, error) from None


def _way_out(found: os.stat_result, path: Path, owner: int) -> str | None:
    """Return what makes a folder private, or None if it is; one that may hold somebody's data is kept."""
    if not stat.S_ISDIR(found.st_mode):
        return "remove it: it is no directory"
    if found.st_uid != owner:
        return f"run this as the user it belongs to (uid {found.st_uid})"
    return f"close it to others with `chmod 700 {path}`" if found.st_mode & 0o077 else None


def check_above(path: Path, user: int) -> None:
    """Raise InputInvalid if a third user can put something else in the folder's place; raises OSError."""
    for above in _above(path):
        found = above.lstat()
        if found.st_uid not in {user, ROOT}:
            raise InputInvalid(
                f"the directory `{above}`, above `{path}`, belongs to another user (uid {found.st_uid})",
                hint=HINT,
            )
        if not stat.S_ISLNK(found.st_mode) and others_may_rename_in(found, user):
            raise InputInvalid(
                f"other users can rename what is in the directory `{above}`, above `{path}`",
                hint=f"close it to them with `chmod go-w`, or {HINT}",
            )


def _make(path: Path) -> None:
    """Make what is missing closed to others, whatever the umask says."""
    missing = [each for each in (path, *path.parents) if not os.path.lexists(each)]
    try:
        for each in reversed(missing):
            with suppress(FileExistsError):
                each.mkdir(mode=PRIVATE)
    except OSError as error:
        raise _not_made(path, error) from None


def _not_made(path: Path, error: OSError) -> NotMade:
    return NotMade(f"the directory `{path}` cannot be made: {error.strerror}", hint=HINT)


def _above(path: Path) -> Iterator[Path]:
    """Yield every folder that decides what the path means: those it names, and those that links lead to."""
    yield from path.parents
    with_links_followed = Path(os.path.realpath(path))
    if with_links_followed != path:
        yield from with_links_followed.parents


def others_may_rename_in(found: os.stat_result, user: int) -> bool:
    """Tell whether anybody but the user and root may rename what others own in a folder."""
    if found.st_mode & stat.S_ISVTX:
        return False
    is_open = bool(found.st_mode & stat.S_IWOTH)
    return is_open or (bool(found.st_mode & stat.S_IWGRP) and not _is_alone_in(found.st_gid, user))


def _is_alone_in(group: int, user: int) -> bool:
    """Tell whether a group is the one that bears the user's name and has no other member."""
    try:
        name, found = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == name and set(found.gr_mem) <= {name}
