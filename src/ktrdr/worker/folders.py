"""Where a handler finds what the server owns."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """The server's bars and models, and the uploads handed to this operation."""

    bars: Path
    models: Path
    uploads: Path
