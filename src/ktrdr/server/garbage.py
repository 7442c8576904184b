"""Garbage collection of a server: what it has loaded is never searched for cycles again, the rest seldom.

A thousand followers are some hundred thousand objects that live long: searching them, as often as Python does
by itself, was a fifth of the work of telling them news, and every search a pause for all of them.
"""

import gc

THRESHOLDS = (20_000, 20, 20)  # objects more than before, then rounds of each generation; Python: 700, 10, 10


def collect_seldom() -> None:
    """Set what lives by now apart for good, and look through the rest a twentieth as often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
