"""The private channel between server and worker: JSON documents behind their length, at most 1 MiB each."""

import struct

LARGEST_FRAME = 1024 * 1024
_HEADER = struct.Struct("!I")
HEADER_SIZE = _HEADER.size


def frame(document: bytes) -> bytes:
    """Return the document behind its length; raises ValueError if it is larger than a frame may be."""
    if len(document) > LARGEST_FRAME:
        raise ValueError(f"a message of {len(document):,} bytes is larger than {LARGEST_FRAME:,}")
    return _HEADER.pack(len(document)) + document


def frame_length(header: bytes) -> int:
    """Read a header; raises ValueError if it announces more than a frame may hold."""
    (length,) = _HEADER.unpack(header)
    if length > LARGEST_FRAME:
        raise ValueError(f"a message of {length:,} bytes is larger than {LARGEST_FRAME:,}")
    return int(length)
