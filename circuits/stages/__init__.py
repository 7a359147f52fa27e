"""The analogue stages, one per file. Each module has a builder that returns a :class:`circuits.netlist.block.Block`."""
