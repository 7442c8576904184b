"""What a worker uses of the machine while it works."""

from typing import Any

import psutil

from ktrdr.worker.gpu import open_gpu


class ResourceMeter:
    """Measures this process, memory in MB and CPU in percent of one core since the last look, and the GPU."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent(None)
        self._gpu = open_gpu()

    def __call__(self) -> dict[str, Any]:
        """Return `rss_mb` and `cpu_percent`, and what is known of the GPU."""
        with self._process.oneshot():
            memory = self._process.memory_info().rss / 1e6
            used = {"rss_mb": round(memory, 1), "cpu_percent": round(self._process.cpu_percent(None), 1)}
        return used | (self._gpu() if self._gpu else {})
