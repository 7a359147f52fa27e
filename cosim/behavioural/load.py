"""What hangs on the lines that a set of stages drives: the next layer's arrays and the inverters."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from circuits.stages.inverter import R_INVERTER
from cosim.behavioural.ports import Ports


@dataclass(frozen=True, kw_only=True, eq=False)
class Load:
    """A native line draws conductance * v - coupling @ v_native - injected [A], its inverse line being at minus v."""

    conductance: torch.Tensor  # (boards, lines) [S]
    coupling: torch.Tensor | None  # (boards, lines, lines) [S], zero diagonal; None: no array there
    injected: torch.Tensor  # (boards, lines) [A]
    inverse_conductance: torch.Tensor  # (boards, lines) [S], what an inverter drives
    native: torch.Tensor  # (lines,), the bit line of the next layer that a stage drives itself
    inverse: torch.Tensor  # (lines,), the one that its inverter drives

    @property
    def lines(self) -> torch.Tensor:
        """(2 * lines,), bit lines of native, then inverse signals."""
        return torch.cat([self.native, self.inverse])


def array_load(ports: Ports, n_signals: int, *, native_is_negative: bool, bias: torch.Tensor, vos_sums: torch.Tensor,
               vos_inverters: torch.Tensor, i_bias: float) -> Load:
    """Load of the pairs 0 .. n_signals - 1 of a layer.

    Args:
        native_is_negative: a neuron drives its -h line, a follower its +x line.
        bias: (boards, 2) [V] of the bias pair, or (boards, 0) of a layer without.
        vos_sums: (boards, outputs) [V], where the layer's virtual grounds sit.
        vos_inverters: (boards, n_signals) [V]; i_bias: [A] of an op-amp's input.
    """
    y, n_lines = ports.y, ports.leak.shape[0] - vos_sums.shape[-1]
    pairs = 2 * torch.arange(n_signals)
    native, inverse = pairs + int(native_is_negative), pairs + int(not native_is_negative)
    rows = y[:, native]
    differential = rows[:, :, native] - rows[:, :, inverse]
    conductance = differential.diagonal(dim1=-2, dim2=-1)
    shift = 2 * vos_inverters - R_INVERTER * i_bias  # what an inverse line is off minus its native line
    injected = -ports.leak[native] + vos_inverters / R_INVERTER
    for voltage, columns in ((shift, rows[:, :, inverse]), (vos_sums, rows[:, :, n_lines:]),
                             (bias, rows[:, :, 2 * n_signals : n_lines])):
        injected = injected - (columns @ voltage[..., None])[..., 0]
    return Load(
        conductance=conductance + 1 / R_INVERTER, coupling=torch.diag_embed(conductance) - differential, injected=injected,
        inverse_conductance=(y[:, inverse, inverse] - y[:, inverse, native]) + 1 / R_INVERTER, native=native, inverse=inverse)


def resistor_load(conductance: float, n_signals: int, dtype: torch.dtype) -> Load:
    """Load of the output layer: the integrators' input resistors."""
    zeros, none = torch.zeros(1, n_signals, dtype=dtype), torch.empty(0, dtype=torch.long)
    return Load(conductance=zeros + conductance, coupling=None, injected=zeros, inverse_conductance=zeros, native=none,
                inverse=none)
