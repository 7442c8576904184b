"""What an operator watches: operations by kind and ending, how long they took and waited, who follows."""

from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ktrdr.operations.operation import Operation

LATENCIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SECONDS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0)


class Metrics:
    """Counts what the service tells of each change; the names are the contract with dashboards."""

    def __init__(self, running: Callable[[], int], followers: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._started = self._counter("operations_started", "Operations that were accepted", "kind")
        self._ended = self._counter("operations_ended", "Operations that ended", "kind", "status")
        self._worked = self._histogram("operation_seconds", "From the first step to the end", "kind")
        self._waited = self._histogram("operation_queue_seconds", "From acceptance to the first step", "kind")
        self._latency = Histogram(
            "ktrdr_progress_latency_seconds",
            "From a worker's report to those who wait for it",
            registry=self._registry,
            buckets=LATENCIES,
        )
        for name, words, count in (
            ("operations_running", "Operations at work", running),
            ("followers", "Open event streams", followers),
        ):
            Gauge(f"ktrdr_{name}", words, registry=self._registry).set_function(count)

    def observe(self, before: Operation | None, after: Operation) -> None:
        """Count one change that was stored."""
        kind = after.operation_type
        if before is None:
            self._started.labels(kind).inc()
        elif after.is_terminal:
            self._ended.labels(kind, after.status.value).inc()
            if after.started_at and after.completed_at:
                self._worked.labels(kind).observe(_seconds(after.started_at, after.completed_at))
        elif before.started_at is None and after.started_at:
            self._waited.labels(kind).observe(_seconds(after.created_at, after.started_at))

    def observe_latency(self, seconds: float) -> None:
        """Count one report that was told."""
        self._latency.observe(seconds)

    def text(self) -> bytes:
        """Return everything in the format that Prometheus reads."""
        return generate_latest(self._registry)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"ktrdr_{name}", words, labels, registry=self._registry)

    def _histogram(self, name: str, words: str, *labels: str) -> Histogram:
        return Histogram(f"ktrdr_{name}", words, labels, registry=self._registry, buckets=SECONDS)


def _seconds(begin: datetime, end: datetime) -> float:
    """Return the time between, never below zero: clocks are set back."""
    return max((end - begin).total_seconds(), 0.0)
