"""Input offsets of every op-amp of a board, for one board or for many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from circuits.board.board import BoardSpec
from cosim.errors import CosimError


@dataclass(frozen=True, kw_only=True, eq=False)
class Offsets:
    """The op-amps' ``vos`` [V], as the macromodel defines it: it adds to v(inp) - v(inn). Each (boards, op-amps)."""

    external: torch.Tensor  # followers of the generators
    external_inverse: torch.Tensor
    bias: torch.Tensor  # (boards, 1)
    bias_inverse: torch.Tensor  # (boards, 1)
    neurons: tuple[torch.Tensor, ...]  # a layer, the output layer's TIAs last
    rectifiers: tuple[torch.Tensor, ...]  # a layer; second stages of two-stage neurons, none elsewhere
    inverters: tuple[torch.Tensor, ...]  # a hidden layer
    integrators: torch.Tensor
    states: torch.Tensor  # followers behind the capacitors
    states_inverse: torch.Tensor

    @property
    def boards(self) -> int:
        return len(self.states)


def draw(spec: BoardSpec, one: Callable[[int], torch.Tensor]) -> Offsets:
    """Offsets of every op-amp of a board.

    Args:
        one: number of op-amps -> (boards, number) [V]; called once a group, in the order of the fields.
    Raises:
        CosimError: the groups differ in their number of boards.
    """
    outputs = [layer.n_outputs for layer in spec.layers]
    made = Offsets(
        external=one(spec.n_external), external_inverse=one(spec.n_external), bias=one(1), bias_inverse=one(1),
        neurons=tuple(one(n) for n in outputs),
        rectifiers=tuple(one(layer.n_outputs * layer.two_stage) for layer in spec.layers),
        inverters=tuple(one(n) for n in outputs[:-1]),
        integrators=one(spec.n_states), states=one(spec.n_states), states_inverse=one(spec.n_states))
    counts = {len(group) for group in (made.external, made.bias, made.states, *made.neurons, *made.inverters)}
    if len(counts) > 1:
        raise CosimError(f"offsets for {sorted(counts)} boards; give every op-amp the same number of boards")
    return made


def equal_offsets(spec: BoardSpec, volts: float = 0.0, dtype: torch.dtype = torch.float64) -> Offsets:
    """The same offset [V] in every op-amp of one board, as a corner has it."""
    return draw(spec, lambda n: torch.full((1, n), volts, dtype=dtype))


def random_offsets(spec: BoardSpec, boards: int, sigma: float, seed: int, dtype: torch.dtype = torch.float64) -> Offsets:
    """Normal offsets of standard deviation ``sigma`` [V]; the OPA4990's typical 0.3 mV is taken as one sigma."""
    rng = torch.Generator().manual_seed(seed)
    return draw(spec, lambda n: sigma * torch.randn(boards, n, generator=rng, dtype=dtype))
