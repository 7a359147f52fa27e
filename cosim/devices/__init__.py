"""Dynamic devices, sampled into data sets; a trained network of devices, made a deck."""
