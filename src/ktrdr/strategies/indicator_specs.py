"""What indicators exist: parameters, outputs, range and warm-up; how they are computed is elsewhere.

Warm-up is the library's lookback plus 7 periods for Wilder recursions (RSI, ATR), 9 for ADX and 4 for EMA,
after which two starts agree within 1e-3 (measured by a test).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Parameters(BaseModel):
    """Parameters of an indicator: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Period(Parameters):
    """One look-back length in bars."""

    period: int = Field(default=14, ge=2, le=1000, description="Bars looked back.")


class Rate(Parameters):
    """The look-back of a rate of change, in bars."""

    period: int = Field(default=10, ge=1, le=1000, description="Bars looked back.")


class Macd(Parameters):
    """Fast, slow and signal lengths; `scale: atr` divides by ATR(14)."""

    fast: int = Field(default=12, ge=2, le=500, description="Bars of the fast average; below `slow`.")
    slow: int = Field(default=26, ge=3, le=1000, description="Bars of the slow average.")
    signal: int = Field(default=9, ge=2, le=500, description="Bars that smooth the line to its signal.")
    scale: Literal["none", "atr"] = Field(
        default="atr", description="`atr`: divided by ATR(14), so that prices of any size compare."
    )

    @model_validator(mode="after")
    def _fast_is_faster(self) -> "Macd":
        if self.fast >= self.slow:
            raise ValueError("fast must be below slow")
        return self


class Atr(Period):
    """`scale: percent` gives ATR as a share of the close."""

    scale: Literal["none", "percent"] = Field(
        default="percent",
        description="`percent`: a share of the close, so that prices of any size compare.",
    )


class DistanceMa(Parameters):
    """Which average the close is compared with."""

    period: int = Field(default=50, ge=2, le=1000, description="Bars of the average.")
    average: Literal["sma", "ema"] = Field(
        default="sma", description="`sma`: all bars weigh the same; `ema`: later ones more."
    )


class Bollinger(Parameters):
    """Length and width of the bands in standard deviations."""

    period: int = Field(default=20, ge=2, le=1000, description="Bars of the average.")
    deviations: float = Field(default=2.0, gt=0, le=10, description="Standard deviations to each band.")


class Stochastic(Parameters):
    """Lengths of %K, its smoothing, and %D."""

    k: int = Field(default=14, ge=2, le=500, description="Bars of the range that the close is placed in.")
    smooth: int = Field(default=3, ge=1, le=100, description="Bars that smooth %K.")
    d: int = Field(default=3, ge=1, le=100, description="Bars that smooth %K to %D.")


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """One indicator: its meaning, outputs (`value` if it has one), range, and what its parameters decide."""

    meaning: str
    parameters: type[Parameters]
    outputs: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    warm_up: Callable[[Mapping[str, Any]], int]
    scale_free: Callable[[Mapping[str, Any]], bool] = lambda _: True
    needs_volume: bool = False


def _scaled(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters["scale"] != "none")


def _macd_warm_up(p: Mapping[str, Any]) -> int:
    own = p["slow"] - 1 + p["signal"] - 1 + 4 * int(p["slow"])
    return max(own, 14 + 7 * 14) if p["scale"] == "atr" else int(own)


def _average_warm_up(p: Mapping[str, Any]) -> int:
    return int(p["period"] - 1 + (4 * p["period"] if p["average"] == "ema" else 0))


VALUE = ("value",)

INDICATOR_SPECS: Mapping[str, IndicatorSpec] = {
    "rsi": IndicatorSpec(
        "Relative strength: rises against falls (Wilder)", Period, VALUE, 0, 100, lambda p: 8 * p["period"]
    ),
    "macd": IndicatorSpec(
        "Distance of a fast from a slow average (Appel)",
        Macd,
        ("line", "signal", "hist"),
        None,
        None,
        _macd_warm_up,
        _scaled,
    ),
    "adx": IndicatorSpec(
        "Strength of a trend, and its directions (Wilder)",
        Period,
        ("adx", "plus_di", "minus_di"),
        0,
        100,
        lambda p: 2 * p["period"] - 1 + 9 * p["period"],
    ),
    "atr": IndicatorSpec(
        "Average true range (Wilder)", Atr, VALUE, 0, None, lambda p: 8 * p["period"], _scaled
    ),
    "distance_ma": IndicatorSpec(
        "Close against its average, as a share of it", DistanceMa, VALUE, -1, None, _average_warm_up
    ),
    "bbands": IndicatorSpec(
        "Place within, and width of, Bollinger's bands",
        Bollinger,
        ("percent_b", "width"),
        None,
        None,
        lambda p: p["period"] - 1,
    ),
    "stoch": IndicatorSpec(
        "Place of the close within the latest range (Lane)",
        Stochastic,
        ("k", "d"),
        0,
        100,
        lambda p: p["k"] + p["smooth"] + p["d"] - 3,
    ),
    "roc": IndicatorSpec("Rate of change in percent", Rate, VALUE, -100, None, lambda p: p["period"]),
    "volume_ratio": IndicatorSpec(
        "Volume against its average",
        Period,
        VALUE,
        0,
        None,
        lambda p: p["period"] - 1,
        needs_volume=True,
    ),
}
