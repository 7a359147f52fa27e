"""Twins of dynamic devices: recordings, neural ODE and neural SDE with their fits, an LSTM to compare with, and their report."""
