"""The problem: the network, what it is fed, and its torch solution."""
