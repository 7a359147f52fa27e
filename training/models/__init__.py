"""Networks: the neural ODE and its discrete baselines."""
