"""Implementations of the operation store."""
