"""From a network to a board: scales, conductances, resistors."""
