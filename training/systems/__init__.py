"""Dynamical systems, whose solutions are the truth that the networks are trained to follow."""
