"""One 32x32 array: its cell, wires and select transistor, the network between its pins, and its macromodel."""
