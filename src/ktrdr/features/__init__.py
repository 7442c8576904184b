"""Bars and a strategy become features, labels and a time-ordered split."""
