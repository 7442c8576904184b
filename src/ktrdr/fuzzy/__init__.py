"""Fuzzy memberships as pure functions on columns."""
