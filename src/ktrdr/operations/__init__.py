"""The generic core: what an operation is, how it may change, and who may change it."""
