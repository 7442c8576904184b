"""The user's process: commands, the executor and what is drawn."""
