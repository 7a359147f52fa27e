"""One 32x32 array: cell, wires, select transistor, its port network and its macromodel."""
