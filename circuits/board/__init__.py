"""The board: layers, the closed loop, the bench around it, and the names of its nets."""
