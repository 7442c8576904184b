"""This process: how it begins, is interrupted and ends."""
