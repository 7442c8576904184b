"""From a strategy's text to values, and from what is wrong with them to sentences at their places."""
