"""The GPU is measured where NVIDIA's library finds one, and nothing is made up elsewhere."""

import sys
from pathlib import Path

import pytest

from ktrdr.worker.gpu import open_gpu
from ktrdr.worker.resources import ResourceMeter

LIBRARY = """
class NVMLError(Exception): pass
class Answer:
    gpu = 85
    used = 2_300_400_000
def nvmlInit():
    if {missing}: raise NVMLError("no driver")
def nvmlDeviceGetHandleByIndex(index): return index
def nvmlDeviceGetName(device): return "H100"
def nvmlDeviceGetUtilizationRates(device): return Answer
def nvmlDeviceGetMemoryInfo(device):
    if {lost}: raise NVMLError("fell off the bus")
    return Answer
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a library that answers as NVIDIA's does is to be written."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    return tmp_path / "pynvml.py"


def test_a_gpu_is_measured(library: Path) -> None:
    library.write_text(LIBRARY.format(missing=False, lost=False))
    assert ResourceMeter()().items() >= {
        ("gpu_used", True),
        ("gpu_name", "H100"),
        ("gpu_utilization_percent", 85),
        ("gpu_memory_mb", 2300.4),
    }


def test_without_a_driver_nothing_is_said(library: Path) -> None:
    library.write_text(LIBRARY.format(missing=True, lost=False))
    assert open_gpu() is None
    assert set(ResourceMeter()()) == {"rss_mb", "cpu_percent"}


def test_a_gpu_that_is_lost_says_nothing_more(library: Path) -> None:
    library.write_text(LIBRARY.format(missing=False, lost=True))
    assert set(ResourceMeter()()) == {"rss_mb", "cpu_percent"}
