"""What a graphics processor does, asked of NVIDIA's management library where there is one."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any


def open_gpu() -> Callable[[], dict[str, Any]] | None:
    """Return what measures the first GPU of this machine, or None without one; CUDA is never touched.

    Its name, utilization in percent and memory in use in MB are those of the whole device.
    """
    if importlib.util.find_spec("pynvml") is None:
        return None
    nvml: Any = importlib.import_module("pynvml")
    try:
        nvml.nvmlInit()
        device = nvml.nvmlDeviceGetHandleByIndex(0)
        name = str(nvml.nvmlDeviceGetName(device))
    except nvml.NVMLError:
        return None
    return lambda: _measure(nvml, device, name)


def _measure(nvml: Any, device: Any, name: str) -> dict[str, Any]:
    try:
        share = nvml.nvmlDeviceGetUtilizationRates(device).gpu
        memory = nvml.nvmlDeviceGetMemoryInfo(device).used / 1e6
    except nvml.NVMLError:
        return {}
    return {
        "gpu_used": share > 0,
        "gpu_name": name,
        "gpu_utilization_percent": share,
        "gpu_memory_mb": round(memory, 1),
    }
