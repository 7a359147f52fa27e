"""The door: everything that happens to a stranger's deck before ngspice sees it.

``opening.open_deck`` takes both looks at a deck. ``guard.check_deck`` says what may not be in it: ``includes`` finds the files,
``whitelist`` judges the cards, ``options`` and ``control`` those that need a closer look, ``expansion`` counts what subcircuits
would make. ``request.read_request`` says what the deck asks for, on the ``walk`` through its cards. Nothing here starts a
process.
"""
