"""The folder of a compiled board: decks, conductances, weights, manifest; written and read back."""
