"""Cards: the one reader of SPICE text, for decks, parts and conductances alike.

It stands below all other rooms: the parts read their figures with it, and the engine above the parts reads its decks.
"""
