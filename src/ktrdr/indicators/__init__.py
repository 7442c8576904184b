"""Indicators as pure functions on columns."""
