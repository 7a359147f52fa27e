"""The studies: an experiment, its sections and its figures each."""
