"""When markets trade: one port, and an implementation a kind of market."""
