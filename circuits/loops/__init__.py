"""Stability: every amplifier's loop gain, measured on the stage alone between the lines that it has on its board.

``board_loops.board_loops`` names the loops, ``line`` what the arrays put on their nodes, ``probe`` breaks them, ``bench`` makes
decks, ``gain`` reads margin and settling, ``measure`` runs it all. Import from the modules.
"""
