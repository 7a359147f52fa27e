"""Stability: the loop gain of every amplifier, measured on its stage alone between the lines that it has on its board.

``board_loops`` lists the loops of a board, ``line`` works out what the arrays put on their nodes, ``probe`` breaks a loop,
``bench`` makes the decks, ``gain`` reads margin and settling, and ``measure`` runs it all. Import from the modules.
"""
