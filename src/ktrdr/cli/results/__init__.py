"""What commands answer, as lines of text."""
