"""Bars: reading, checking, storing and serving them."""
