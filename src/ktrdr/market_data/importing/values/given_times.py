"""Times in a layout that was given, read by Python's `strptime` and so as it is documented."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.importing.values.wall_times import WallTimes

ZONE = "%Z"
LAST_WORD = re.compile(r"^(.*?)\s*([A-Za-z][A-Za-z0-9_/+-]*)$")


class GivenTimes:
    """Reads columns of text in one layout; a `%Z` at its end is one zone for all of them."""

    def __init__(self, layout: str) -> None:
        self._layout = layout.removesuffix(ZONE).rstrip()
        self._names_zone = layout.endswith(ZONE)
        self._zone: str | None = None

    def read(self, written: pl.Series) -> WallTimes:
        """Return the times, null for what is not written so; raises DataInvalid for a zone nobody knows."""
        moments = {
            text: self._moment(text.strip())
            for text in written.drop_nulls().unique(maintain_order=True).to_list()
        }
        found = [None if text is None else moments[text] for text in written.to_list()]
        walls = [None if each is None else each.replace(tzinfo=None) for each in found]
        offsets = [None if each is None else each.utcoffset() for each in found]
        return WallTimes(
            pl.Series(walls, dtype=pl.Datetime("us")), pl.Series(offsets, dtype=pl.Duration("us")), self._zone
        )

    def _moment(self, text: str) -> datetime | None:
        if self._names_zone:
            cut = LAST_WORD.match(text)
            if cut is None:
                return None
            text, zone = cut.groups()
            self._learn(zone)
            if zone != self._zone:
                return None
        try:
            return datetime.strptime(text, self._layout)
        except ValueError:
            return None

    def _learn(self, zone: str) -> None:
        if self._zone is None and not is_zone(zone):
            words = f"`{zone}` is no zone that is the same in summer and winter, or that is known"
            hint = (
                "write it into the format as it stands, and say the zone with --tz, as --tz America/New_York"
            )
            raise DataInvalid(words, hint=hint)
        self._zone = self._zone or zone


def is_zone(name: str) -> bool:
    """Tell whether a name is that of a time zone."""
    try:
        return bool(ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
