"""ktrdr: load market data, train neuro-fuzzy models and judge them, every long operation through one mechanism."""

__version__ = "0.1.0"
