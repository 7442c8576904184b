"""Where a handler finds what the server owns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ktrdr.errors import InputInvalid


@dataclass(frozen=True, slots=True)
class Folders:
    """The server's bars and models, the uploads handed over, and what the operator tells providers."""

    bars: Path
    models: Path
    uploads: Path
    provider_variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    def claim_upload(self, upload_id: str, target: Path) -> None:
        """Move an upload to `target`, so that no other operation has it; raises InputInvalid."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            (self.uploads / upload_id).rename(target)
        except FileNotFoundError:
            hint = "an upload is kept for a day and used once; send the file again"
            raise InputInvalid(f"upload `{upload_id}` is gone", hint=hint) from None
