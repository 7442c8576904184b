"""What a worker uses of the machine while it works."""

from typing import Any

import psutil


class ResourceMeter:
    """Measures this process: resident memory in MB, and CPU in percent of one core since the last look."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent(None)

    def __call__(self) -> dict[str, Any]:
        """Return `rss_mb` and `cpu_percent`."""
        with self._process.oneshot():
            memory = self._process.memory_info().rss / 1e6
            return {"rss_mb": round(memory, 1), "cpu_percent": round(self._process.cpu_percent(None), 1)}
