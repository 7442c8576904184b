"""Finds the handler and turns its end into an event: the one broad `except`."""

import logging
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ktrdr.clock import SystemClock
from ktrdr.disk_space import disk_full, is_disk_full
from ktrdr.errors import InputInvalid, KtrdrError, OperationCancelled
from ktrdr.kinds.table import load_kind
from ktrdr.memory_shortage import HINT, is_memory_short
from ktrdr.operations.context import OperationContext
from ktrdr.operations.events import Cancelled, Failed, Started, Succeeded, WorkerEvent
from ktrdr.operations.operation import OperationError, WorkerIdentity
from ktrdr.process_identity import start_of
from ktrdr.worker.channel import WorkerChannel
from ktrdr.worker.folders import Folders
from ktrdr.worker.handlers.table import load_handler
from ktrdr.worker.resources import ResourceMeter

LOG = logging.getLogger(__name__)


def run(assignment: Mapping[str, Any], channel: WorkerChannel, folders: Folders) -> WorkerEvent:
    """Do the assignment and return how it ended; the worker's log path is named by internal errors."""
    fence = int(assignment["fence"])
    channel.send(Started(fence, identity()))
    try:
        return _work(assignment, channel, folders)
    except OperationCancelled:
        return Cancelled(fence)
    except KtrdrError as error:
        LOG.error("%s", _words(error))
        reason = "input_invalid" if isinstance(error, InputInvalid) else "error"
        return Failed(fence, OperationError(reason, error.code, _words(error), error.hint))
    except Exception as error:  # whatever a handler does, the operation ends with the truth
        if is_disk_full(error):
            full = disk_full(Path(assignment["work_folder"]), None, str(error))
            return Failed(fence, OperationError("error", full.code, full.message, full.hint))
        if is_memory_short(error):
            LOG.exception("the handler of %s had too little memory", assignment["operation_type"])
            words = f"the memory does not suffice: {error or 'nothing was to be had'}"
            return Failed(fence, OperationError("error", "out_of_memory", words, HINT))
        LOG.exception("the handler of %s failed", assignment["operation_type"])
        detail = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        hint = f"this is a defect; the worker's log is {assignment['log_path']}"
        return Failed(fence, OperationError("internal", "internal", detail, hint))


def _work(assignment: Mapping[str, Any], channel: WorkerChannel, folders: Folders) -> Succeeded:
    kind = load_kind(assignment["operation_type"])
    handler = load_handler(kind.name)
    fence = int(assignment["fence"])
    context = OperationContext(
        operation_id=assignment["operation_id"],
        fence=fence,
        emit=channel.send,
        cancelled=channel.cancelled,
        clock=SystemClock(),
        work_folder=Path(assignment["work_folder"]),
        measure=ResourceMeter(),
    )
    answer = handler(kind.request_model.model_validate(assignment["request"]), context, folders)
    channel.finish()
    result = kind.result_model.model_validate(answer, from_attributes=True)
    return Succeeded(fence, result.model_dump(mode="json"))


def identity() -> WorkerIdentity:
    """Return who this process is: host, pid and when it started."""
    return WorkerIdentity(socket.gethostname(), os.getpid(), start_of(os.getpid()))


def _words(error: KtrdrError) -> str:
    return "\n".join((error.message, *error.detail))
