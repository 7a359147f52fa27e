"""The behavioural board without one of its imperfections, so that what the imperfection does can be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

import torch

from cosim.behavioural.board import Board
from cosim.behavioural.layer import Layer
from cosim.behavioural.op_amp import OpAmp

FAST = 1e30  # rad/s, of an amplifier without lag
GAIN = 1e30  # V/V, of one without gain error


def without_limits(board: Board) -> Board:
    """No clamp and no rail."""
    free = _each_layer(board, lambda layer: replace(layer, limit=torch.full_like(layer.limit, inf)))
    return replace(free, drivers_limit=torch.full_like(board.drivers_limit, inf),
                   integrator=replace(board.integrator, op=replace(board.integrator.op, rail=inf)))


def without_crossover(board: Board) -> Board:
    """ReLUs with a sharp knee, whose amplifiers swing from diode to diode in no time."""
    return _each_layer(board, lambda layer: replace(layer, rectifier=replace(layer.rectifier, crosses=False)))


def with_fast_integrators(board: Board) -> Board:
    """Integrators whose amplifiers have no bandwidth limit."""
    return replace(board, integrator=replace(board.integrator, op=replace(board.integrator.op, omega_t=FAST)))


def without_hanging_lines(board: Board) -> Board:
    """Lines of neurons that are off rest at 0 V, whatever the next arrays push into them."""
    return _each_layer(board, lambda layer: replace(layer, load=replace(
        layer.load, coupling=None, injected=torch.zeros_like(layer.load.injected))))


def without_diode_leakage(board: Board) -> Board:
    """Lines of neurons that are off, at exactly 0 V: nothing hangs there, and the reverse diode's leakage is led away."""
    return _each_layer(board, lambda layer: replace(layer, load=replace(
        layer.load, coupling=None, injected=torch.full_like(
            layer.load.injected, layer.rectifier.diode.saturation * (1 if layer.two_stage else -1)))))


def without_leaks(board: Board) -> Board:
    """Integrators whose capacitors lose and gain no charge while they hold."""
    return replace(board, integrator=replace(board.integrator, leaks=False))


def without_curvature(board: Board) -> Board:
    """Cells whose current is proportional to their voltage."""
    return _each_layer(board, lambda layer: replace(layer, curvature=torch.zeros_like(layer.curvature)))


def endless_gain(op: OpAmp) -> OpAmp:
    """An amplifier without gain error, common-mode error and bias current; as fast as before."""
    return replace(op, aol=GAIN, cmrr=GAIN, i_bias=0.0)


def _each_layer(board: Board, change: Callable[[Layer], Layer]) -> Board:
    return replace(board, layers=tuple(map(change, board.layers)))
