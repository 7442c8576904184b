"""What a server holds in memory of the operations it runs."""
