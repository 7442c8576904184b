"""Where the list of what was set aside is kept: beside the bars, by operation."""

import os
import shutil
from pathlib import Path

from ktrdr.atomic_files import sync_directory

FOLDER = "quarantine"


def keep_refusals(written: Path, bars: Path, operation_id: str) -> Path:
    """Copy a list durably to where it stays, and return that path; it appears whole or not at all."""
    kept = bars / FOLDER / f"{operation_id}.csv"
    kept.parent.mkdir(parents=True, exist_ok=True)
    beside = kept.with_suffix(".partial")
    try:
        shutil.copyfile(written, beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(kept)
    finally:
        beside.unlink(missing_ok=True)
    sync_directory(kept.parent)
    return kept
