"""Corners: what may differ from the nominal board, and the board, its parts and its decks there."""
