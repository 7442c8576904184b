"""Where bars come from: one port, and an implementation a source."""
