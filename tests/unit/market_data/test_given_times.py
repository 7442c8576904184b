"""A format of times means what Python documents: offsets and zones in the file count, nothing is dropped."""

from pathlib import Path
from typing import Any

import pytest

from ktrdr.errors import DataInvalid
from support.imports import Importer


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    return Importer(tmp_path)


def read(importer: Importer, written: list[str], layout: str | None, **asked: Any) -> list[str]:
    text = "time;open;high;low;close\n" + "".join(f"{each};1;1;1;1\n" for each in written)
    bars = importer(text, timeframe="1h", time_format=layout, **asked).bars["X"]
    return bars["time"].dt.strftime("%Y-%m-%d %H:%M:%S%.f").to_list()


@pytest.mark.parametrize(
    ("layout", "written", "asked", "time"),
    [
        ("%d/%m/%Y %H:%M%z", "02/01/2024 10:00+01:00", {}, "2024-01-02 09:00:00"),
        ("%d/%m/%Y %H:%M%z", "02/01/2024 10:00+01:00", {"tz": "America/New_York"}, "2024-01-02 09:00:00"),
        ("%d/%m/%Y %H:%M %z", "02/01/2024 10:00 Z", {}, "2024-01-02 10:00:00"),
        ("%Y-%m-%d %H:%M %Z", "2024-01-02 10:00 UTC", {}, "2024-01-02 10:00:00"),
        ("%Y%m%d  %H:%M:%S %Z", "20240102  09:30:00 US/Eastern", {}, "2024-01-02 14:30:00"),
        ("%Y-%m-%d %H:%M:%S.%f", "2024-01-02 10:00:00.25", {"tz": "UTC"}, "2024-01-02 10:00:00.250"),
        ("%Y-%m-%d %I-%p", "2024-01-02 12-AM", {"tz": "UTC"}, "2024-01-02 00:00:00"),
        ("%Y-%m-%d %I-%p", "2024-01-02 01-PM", {"tz": "UTC"}, "2024-01-02 13:00:00"),
        ("%Y-%m-%d %Hh", "2024-01-02 15h", {"tz": "UTC"}, "2024-01-02 15:00:00"),
        ("%d %B %Y %H:%M", "2 January 2024 10:00", {"tz": "UTC"}, "2024-01-02 10:00:00"),
        ("%d.%m.%y %H:%M", "02.01.24 10:00", {"tz": "UTC"}, "2024-01-02 10:00:00"),
    ],
)
def test_a_directive_means_what_python_documents(
    importer: Importer, layout: str, written: str, asked: dict[str, Any], time: str
) -> None:
    assert read(importer, [written], layout, **asked) == [time]


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("20240102  09:30:00 US/Eastern", "2024-01-02 14:30:00"),
        ("2024-01-02 09:30:00 UTC", "2024-01-02 09:30:00"),
        ("2024-01-02 09:30:00.5 GMT", "2024-01-02 09:30:00.500"),
    ],
)
def test_a_zone_that_is_named_beside_the_times_is_theirs(importer: Importer, written: str, time: str) -> None:
    assert read(importer, [written], None) == [time]
    with pytest.raises(DataInvalid, match="the times carry their own offset"):
        read(importer, [written], None, tz="UTC")


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2024-03-08 09:30:00 EST", "2024-03-08 14:30:00"),
        ("2024-03-11 09:30 EDT", "2024-03-11 13:30:00"),
        ("03/31/2024 9:30 AM EDT", "2024-03-31 13:30:00"),
        ("2024-01-02 09:30 CET", "2024-01-02 08:30:00"),
        ("20.03.2024 09:30:00.000 GMT-0500", "2024-03-20 14:30:00"),
        ("2024-01-02 09:30:00+00", "2024-01-02 09:30:00"),
        ("2024-01-02 09:30:00.5-05", "2024-01-02 14:30:00.500"),
    ],
)
def test_an_offset_counts_however_it_is_written(importer: Importer, written: str, time: str) -> None:
    assert read(importer, [written], None) == [time]


def test_the_names_of_summer_and_winter_tell_the_hour_that_happened_twice(importer: Importer) -> None:
    written = ["2023-11-05 01:00 EDT", "2023-11-05 01:00 EST", "2023-11-05 02:00 EST"]
    assert read(importer, written, None) == [
        "2023-11-05 05:00:00",
        "2023-11-05 06:00:00",
        "2023-11-05 07:00:00",
    ]


@pytest.mark.parametrize("layout", [None, "%Y-%m-%d %H:%M %Z"])
def test_a_time_that_names_another_zone_than_the_first_is_none(
    importer: Importer, layout: str | None
) -> None:
    with pytest.raises(DataInvalid, match=r"line 3: .*US/Central` is not a time"):
        read(importer, ["2024-01-02 09:30 US/Eastern", "2024-01-02 10:30 US/Central"], layout)


def test_a_zone_that_the_name_of_a_column_says_is_not_said_again(importer: Importer) -> None:
    text = "Gmt time,open,high,low,close\n02.01.2024 10:00:00.000,1,1,1,1\n"
    assert importer(text, timeframe="1h").report.series[0].first.isoformat() == "2024-01-02T10:00:00+00:00"
    with pytest.raises(DataInvalid, match="column `Gmt time` says by its name that it is in UTC"):
        importer(text, timeframe="1h", tz="America/New_York")


def test_a_zone_nobody_knows_is_refused_with_the_way_out(importer: Importer) -> None:
    written = ["2024-01-02 09:30 EDT"]
    with pytest.raises(DataInvalid, match="`EDT` is no zone that is the same") as caught:
        read(importer, written, "%Y-%m-%d %H:%M %Z")
    assert "say the zone with --tz" in str(caught.value.hint)
    spelled = "%Y-%m-%d %H:%M EDT"
    assert read(importer, written, spelled, tz="America/New_York") == ["2024-01-02 14:30:00"]


def test_a_format_is_refused_where_times_are_no_text(importer: Importer, tmp_path: Path) -> None:
    import_text = "time;open;high;low;close\n2024-01-02 10:00;1;1;1;1\n"
    assert importer(import_text, timeframe="1h", tz="UTC", time_format="%Y-%m-%d %H:%M").report.series
    with pytest.raises(DataInvalid, match="is not a time"):
        importer(import_text, timeframe="1h", tz="UTC", time_format="%d.%m.%Y %H:%M")
