"""Models of single stages: amplifier, diode, clamp, rectifier, integrator."""
