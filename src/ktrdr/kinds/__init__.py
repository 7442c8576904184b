"""What each kind of operation is asked and what it answers."""
