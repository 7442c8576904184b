"""Who may speak to a server that others can reach."""
