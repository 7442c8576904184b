"""Command groups, imported only when used."""
