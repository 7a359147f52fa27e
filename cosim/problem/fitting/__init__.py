"""Fitting: a network that the board has no circuits for, replaced by a ReLU network on the region that its runs visit."""
