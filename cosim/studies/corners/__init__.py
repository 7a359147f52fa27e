"""A board at its corners: simulated, held against stated bounds, with the cause of every error."""
