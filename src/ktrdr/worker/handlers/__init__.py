"""The only place that knows both an operation and its domain."""
