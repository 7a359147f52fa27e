"""Ways to fit a twin to a recording."""
