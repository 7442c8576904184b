"""The admission of a request: its canonical form and fingerprint, and the pending operation it becomes."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from ktrdr.errors import InputInvalid
from ktrdr.invalid_fields import field_sentences, sentence
from ktrdr.operations.kind import OperationKind
from ktrdr.operations.operation import Operation
from ktrdr.operations.progress import GenericProgressState


def pending_operation(
    operation_id: str, kind_name: str, request: BaseModel, metadata: Mapping[str, Any], now: datetime
) -> Operation:
    """Return the operation that a request becomes; equal requests of a kind have equal fingerprints."""
    canonical = request.model_dump(mode="json")
    text = json.dumps({"kind": kind_name, "request": canonical}, sort_keys=True, allow_nan=False)
    return Operation(
        operation_id=operation_id,
        operation_type=kind_name,
        request=canonical,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        created_at=now,
        progress=GenericProgressState(operation_id=operation_id),
        metadata=metadata,
    )


def request_again(before: Operation, kind: OperationKind | None) -> BaseModel:
    """Return what an operation that has ended was asked; raises InputInvalid if it cannot be repeated."""
    if kind is None or not kind.repeatable:
        raise InputInvalid(
            f"an operation of kind `{before.operation_type}` cannot be repeated", hint="run its command again"
        )
    if not before.is_terminal:
        raise InputInvalid(
            f"`{before.operation_id}` is still {before.status}", hint="cancel it, or wait for it"
        )
    try:
        return kind.request_model.model_validate(before.request)
    except ValidationError as error:  # an earlier build took it
        raise InputInvalid(
            f"`{before.operation_id}` was asked what is not accepted any more: "
            f"{sentence(field_sentences(error.errors()))}",
            hint="run its command again",
        ) from None
