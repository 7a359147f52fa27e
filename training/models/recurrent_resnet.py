"""The discrete baseline: a recurrent ResNet y_{k+1} = y_k + net(u_k, y_k) with the widths of the neural ODE."""

from collections.abc import Callable

import torch
from torch import nn

from training.errors import ModelError
from training.models.neural_ode import widths_of


def rollout(net: nn.Sequential, u: torch.Tensor, y0: torch.Tensor) -> torch.Tensor:
    """Run the recurrence from y0. The last input is not used, because it would give the sample after the last.

    Args:
        u: (m, ..., n_inputs) samples of the stimulus at the time steps of the training.
        y0: (..., n_states), the first state.
    Returns:
        (m, ..., n_states); the first row is y0.
    Raises:
        ModelError: inputs and states do not add up to the network's width.
    """
    widths = widths_of(net)
    if u.shape[-1] + y0.shape[-1] != widths[0] or y0.shape[-1] != widths[-1]:
        raise ModelError(
            f"the network takes {widths[0]} inputs and gives {widths[-1]}; got {u.shape[-1]} stimuli and "
            f"{y0.shape[-1]} states"
        )
    return recur(net, u, y0)


def recur(increment: Callable[[torch.Tensor], torch.Tensor], u: torch.Tensor, y0: torch.Tensor) -> torch.Tensor:
    """The recurrence for any increment of the columns (u, y); shapes are as in `rollout`."""
    y, states = y0, [y0]
    for u_k in u[:-1]:
        y = y + increment(torch.cat([u_k, y], dim=-1))
        states.append(y)
    return torch.stack(states)
