"""The words of progress: how long, how fast, what it waits for, what it uses."""

from collections.abc import Mapping
from typing import Any

from ktrdr.operations.progress import GenericProgressState

LEAST_SECONDS_FOR_A_RATE = 1.0
FAST = 10.0


def duration(seconds: float) -> str:
    """Return `m:ss` or `h:mm:ss`, never below zero."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def message_words(state: GenericProgressState) -> str:
    """Return the domain's words, or else the place in the queue."""
    place = state.queue_position
    return state.message or (f"waiting, place {place} in the queue" if place else "")


def rate_words(state: GenericProgressState, elapsed: float) -> str:
    """Return how many items of the phase are done a second, where items are counted."""
    if elapsed < LEAST_SECONDS_FOR_A_RATE or state.items_processed <= 0:
        return ""
    rate = state.items_processed / elapsed
    return f"{rate:,.0f}/s" if rate >= FAST else f"{rate:.1f}/s"


def usage_words(state: GenericProgressState) -> str:
    """Return what the work uses of the machine, where that is known."""
    used = state.context.get("resource_usage")
    if not isinstance(used, Mapping):
        return ""
    cpu, memory = _number(used, "cpu_percent"), _number(used, "rss_mb")
    gpu, gpu_memory = _number(used, "gpu_utilization_percent"), _number(used, "gpu_memory_mb")
    parts = [f"{cpu:.0f} % CPU, {memory:,.0f} MB"] if cpu is not None and memory is not None else []
    if gpu is not None and gpu_memory is not None:
        parts.append(f"{gpu:.0f} % GPU, {gpu_memory:,.0f} MB")
    return "  ".join(parts)


def _number(used: Mapping[str, Any], name: str) -> float | None:
    value = used.get(name)
    return float(value) if isinstance(value, int | float) else None
