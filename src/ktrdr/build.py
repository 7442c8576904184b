"""What this installation is: version, interpreter and the state of its source files."""

import hashlib
import sys
from functools import cache
from pathlib import Path

from ktrdr import __version__

API_VERSION = 1


@cache
def build_fingerprint() -> str:
    """Return `<version>-<12 hex digits>`; another source tree or interpreter gives another one."""
    root = Path(__file__).parent
    digest = hashlib.sha256(sys.prefix.encode())
    for path in sorted(root.rglob("*.py")):
        stat = path.stat()
        digest.update(f"{path.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return f"{__version__}-{digest.hexdigest()[:12]}"
