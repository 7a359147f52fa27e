"""`cosim device ...`: dynamic devices."""
