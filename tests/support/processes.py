"""Processes by the module that they run."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


def running(module: str, among: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that run the module; one that ends while it is looked at runs nothing."""
    found = []
    for each in among:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if module in each.cmdline():
                found.append(each)
    return found
