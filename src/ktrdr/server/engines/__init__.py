"""Implementations of the worker engine."""
