"""One process per operation: request in, events out."""
