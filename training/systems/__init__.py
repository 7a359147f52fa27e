"""Dynamical systems: ground truth for the networks."""
