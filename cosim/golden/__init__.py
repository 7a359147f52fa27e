"""Golden waveforms: a run is held within a band around curves of a file; the pytest plugin uses it."""
