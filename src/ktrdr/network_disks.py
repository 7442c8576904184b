"""File systems that lie on another machine: the operations file is not kept there.

SQLite's write-ahead log shares memory between processes, and the lock of a server is one of this machine's
kernel; over a network neither holds. Sources: sqlite.org/wal.html, flock(2), proc_pid_mountinfo(5).
"""

import os
from pathlib import Path

from ktrdr.errors import InputInvalid
from ktrdr.process_identity import PROC

NETWORK = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs"),
        *("fuse.ceph", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)


def refuse_network_disk(folder: Path, mounts: Path = PROC / "self" / "mountinfo") -> None:
    """Raise InputInvalid if the folder lies on a file system of another machine, as far as `mounts` tells."""
    kind = _kind_of_disk(folder, mounts)
    if kind in NETWORK:
        raise InputInvalid(
            f"the state folder `{folder}` lies on a network file system (`{kind}`), which is not safe",
            hint="set XDG_STATE_HOME, or KTRDR_HOME, to a directory on a disk of this machine",
        )


def _kind_of_disk(folder: Path, mounts: Path) -> str | None:
    device = folder.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    found = (line.partition(" - ")[2].split() for line in lines if line.split()[2:3] == [wanted])
    return next((words[0] for words in found if words), None)
