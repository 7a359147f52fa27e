"""Blocks and decks as text: rendering, solver options, inspection of a deck, and the lock of a folder of decks."""
