"""`python -m cosim.cli`, the same as `cosim`."""

from cosim.cli.main import main

main()
