"""ktrdr: load market data, train neuro-fuzzy models and judge them, through one mechanism for all."""

__version__ = "0.1.0"
