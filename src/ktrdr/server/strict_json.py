"""JSON that means one thing: no key twice, no number that is none or that no program reads alike."""

import json
import math
from collections.abc import Sequence

LARGEST_INTEGER = 2**63 - 1


class NotStrict(Exception):
    """Why a document is refused."""


def strictness_fault(text: str) -> str | None:
    """Return what is wrong with a document though it is JSON; one that is none is left to its reader."""
    try:
        json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_number,
            parse_int=_integer,
            parse_float=_finite,
        )
    except NotStrict as fault:
        return str(fault)
    except RecursionError:
        return "it is nested too deeply"
    except ValueError:
        return None
    return None


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotStrict(f"the key `{twice[:40]}` is there twice")
    return found


def _no_number(name: str) -> object:
    raise NotStrict(f"`{name}` is not a number")


def _integer(digits: str) -> int:
    if len(digits) > len(str(LARGEST_INTEGER)) + 1 or abs(int(digits)) > LARGEST_INTEGER:
        raise NotStrict(f"the number `{digits[:20]}...` has more than 64 bits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotStrict(f"the number `{digits[:20]}` is too large")
    return number
