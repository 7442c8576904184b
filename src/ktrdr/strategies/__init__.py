"""A strategy as data: its file, its vocabulary and its checks."""
