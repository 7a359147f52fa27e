"""The published experiments: what is trained, with which settings, and how it is evaluated."""
