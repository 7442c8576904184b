"""How single values are written: cells, numbers, and times before it is known which moments they are."""
