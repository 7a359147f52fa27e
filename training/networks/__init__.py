"""Networks whose neurons are twins of dynamic devices: forward, training, transfer of the weights, correction by devices."""
