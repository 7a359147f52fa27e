"""Corners: what may differ from the nominal board, and the parts and arrays there."""
