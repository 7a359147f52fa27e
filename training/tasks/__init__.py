"""Tasks for networks of devices: their data and the baselines on the same splits."""
