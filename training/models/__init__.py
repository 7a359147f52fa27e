"""Networks: the neural ODE and its discrete baseline."""
