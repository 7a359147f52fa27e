"""Part benches: every published property of a part, measured on its macromodel.

``base`` says what a bench is, one file a part holds its benches, ``findings`` runs them and holds model against datasheet.
"""
