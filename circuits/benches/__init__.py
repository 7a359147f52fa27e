"""Part benches: every published property of a part, measured on its macromodel.

``base`` says what a bench is, each part has a file with its benches, and ``findings`` runs them and compares the model with the
datasheet. ``blocks`` holds benches of the board's blocks.
"""
