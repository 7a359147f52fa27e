"""The `cosim` command."""
