"""The SPICE side: parts, blocks, arrays, the closed loop, rendering, running, waveforms. Never imports torch."""
