"""A second engine, VACASK: other code, other device models, other integrator, the same decks.

``expression`` and ``flat`` read a checked deck into numbers, ``netlist`` writes it in VACASK's language, ``run`` runs it.
VACASK has no behavioural source; each distinct one becomes a Verilog-A module, which VACASK's own compiler translates.
"""
