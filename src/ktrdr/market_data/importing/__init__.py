"""How a file of one's own is written: where its rows begin, its columns, its numbers and its times."""
