"""Rights of a worker: its user's, and never more, whatever it executes.

Source: prctl(2), PR_SET_NO_NEW_PRIVS.
"""

import ctypes
import sys

PR_SET_NO_NEW_PRIVS = 38


def keep_to_own_rights() -> None:
    """Give up, for this process and all it starts, what set-user-id programs would add; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
