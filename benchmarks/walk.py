"""Synthetic bars: a random walk without holes, one bar a minute."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

FIRST = datetime(2000, 1, 1, tzinfo=UTC)


def random_walk(count: int) -> pl.DataFrame:
    """Return so many bars whose highs and lows lie around open and close."""
    generator = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.001, count)))
    opens = np.append(100.0, close[:-1])
    wick = 1 + generator.exponential(0.0005, (2, count))
    return pl.DataFrame(
        {
            "time": pl.datetime_range(
                FIRST, FIRST + timedelta(minutes=count - 1), "1m", time_unit="us", eager=True
            ),
            "open": opens,
            "high": np.maximum(opens, close) * wick[0],
            "low": np.minimum(opens, close) / wick[1],
            "close": close,
            "volume": generator.integers(1000, 100_000, count).astype(np.float64),
        }
    )
