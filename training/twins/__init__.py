"""Twins of dynamic devices: recordings, neural ODE and SDE with their fits, an LSTM to compare with, their scores."""
