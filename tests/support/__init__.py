"""Real processes, terminals and servers for tests."""
