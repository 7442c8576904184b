"""How a server is reached: where it is, who it is, and whether it is ours."""
