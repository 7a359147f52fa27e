"""The op-amp as a compiled device: the circuit of ``parts/opa4990.lib``, in little more than half the time.

``compiler`` finds OpenVAF and translates ``parts/opa4990.va``; ``cache`` keeps the result; ``op_amp`` says which form this
machine uses and why; ``cards`` replaces the subcircuit's body in a checked deck that holds the project's own op-amp. Decks on
disk keep the subcircuit, and the door still refuses every deck that names a compiled device or a shared object: what is
replaced is replaced behind the door, in the copy that ngspice is given.
"""
