"""A state folder on a disk of another machine is refused by name."""

import os
from pathlib import Path

import pytest

from ktrdr.errors import InputInvalid
from ktrdr.network_disks import refuse_network_disk


def mounts(tmp_path: Path, kind: str, device: str | None = None) -> Path:
    """Return a table of mounts in which the folder's device is of a kind."""
    found = tmp_path.stat().st_dev
    here = device or f"{os.major(found)}:{os.minor(found)}"
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 27 0:9999 / /proc rw,relatime - proc proc rw\n"
        f"27 1 {here} / /home rw,relatime shared:1 - {kind} server:/export rw,vers=4.2\n"
        "\n"
        "nonsense\n"
    )
    return table


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "lustre"])
def test_fault_75_a_state_folder_of_another_machine_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputInvalid, match=rf"network file system \(`{kind}`\)"):
        refuse_network_disk(tmp_path, mounts(tmp_path, kind))


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "fuse.gocryptfs"])
def test_fault_75_a_disk_of_this_machine_is_not(tmp_path: Path, kind: str) -> None:
    refuse_network_disk(tmp_path, mounts(tmp_path, kind))
    refuse_network_disk(tmp_path)


def test_fault_75_what_lies_elsewhere_or_is_not_told_does_not_matter(tmp_path: Path) -> None:
    refuse_network_disk(tmp_path, mounts(tmp_path, "nfs4", "0:9998"))
    refuse_network_disk(tmp_path, tmp_path / "no table")
