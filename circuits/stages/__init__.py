"""One analogue stage a file; each module has one builder that returns a :class:`circuits.netlist.block.Block`."""
