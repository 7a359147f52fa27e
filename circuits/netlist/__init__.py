"""Blocks and decks as text: rendering, solver options, what a deck holds, who may write a folder."""
