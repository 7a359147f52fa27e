"""Running decks, and what a simulation of a compiled network gave."""
