"""Training, evaluation and their checkpoints."""
