"""Running decks, and result files that are known again by what they were made from."""
