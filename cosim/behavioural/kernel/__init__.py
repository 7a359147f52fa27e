"""The board's equations as a compiled loop: traced once, written as C, built by the machine's own compiler."""
