"""Where the two sides meet: mapping, scaling, compiling, reference, comparison, report, command line."""
