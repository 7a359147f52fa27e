"""Names of a board's columns, nets and saved vectors: built and parsed here alone.

    column   u<k>           external input k, in the order of the stimuli
             x<k>           state k
    net      u<k>           generator of external input k, before its follower
             <signal>_p     line of a pair that carries +v; <signal>_n carries -v; signal is u<k>, x<k>, h<layer>_<k>, bias
             d<k>           minus the derivative of state k, what the integrators take
             ic<k>, cap<k>  initial-condition source of state k, and the free end of its integrator's capacitor
    vector   v(<net>)       of the test bench;  v(xboard.<net>) of a net inside the board

Layers count from 1, everything else from 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

SIGNS = "pn"
SELECT = "sel"  # control: initial conditioning or integration
REFERENCE = "v_ref"  # of the biases
BOARD = "board"  # instance of the board in a test bench
_COLUMN = re.compile(r"(?P<letter>[ux])(?P<index>0|[1-9]\d*)")
_VECTORS = {  # kind: spelling of its saved vector
    "external": r"v\(u(?P<index>\d+)\)",
    "state": r"v\(x(?P<index>\d+)_p\)",
    "derivative": r"v\(xboard\.d(?P<index>\d+)\)",
    "hidden": r"v\(xboard\.h(?P<layer>\d+)_(?P<index>\d+)_p\)",
    "before_rectifier": r"v\(xboard\.xhidden_(?P<layer>\d+)\.z(?P<index>\d+)\)",
}


@dataclass(frozen=True, kw_only=True)
class BoardSignal:
    """What a column or a saved vector of a board stands for."""

    kind: str  # "external", "state", "derivative", "hidden" or "before_rectifier"
    index: int  # input, state or neuron, from 0
    layer: int = 0  # of a neuron, from 1

    @property
    def words(self) -> str:
        """As a reader knows it, e.g. "hidden layer 1, neuron 3"."""
        if self.layer:
            behind = " before its rectifier" if self.kind == "before_rectifier" else ""
            return f"hidden layer {self.layer}, neuron {self.index}{behind}"
        return f"{'external input' if self.kind == 'external' else self.kind} {self.index}"


def external_column(index: int) -> str:
    """Column of an external input, e.g. u0; its generator's net has the same name."""
    return f"u{index}"


def state_column(index: int) -> str:
    """Column of a state, e.g. x0."""
    return f"x{index}"


def standard_columns(n_external: int, n_states: int) -> tuple[str, ...]:
    """External inputs first, then the states."""
    return (*map(external_column, range(n_external)), *map(state_column, range(n_states)))


def parse_column(column: str) -> BoardSignal | None:
    """What a column stands for; None where it is no column's name."""
    match = _COLUMN.fullmatch(column)
    return BoardSignal(kind={"u": "external", "x": "state"}[match["letter"]], index=int(match["index"])) if match else None


def column_places(columns: Sequence[str], n_external: int) -> list[int]:
    """Where each column stands among the external inputs followed by the states."""
    signals = [parse_column(column) for column in columns]
    return [signal.index + (n_external if signal.kind == "state" else 0) for signal in signals]


def state_places(columns: Sequence[str]) -> list[int]:
    """Where each state, in order, stands among the columns."""
    n_states = sum(parse_column(column).kind == "state" for column in columns)
    return [columns.index(state_column(index)) for index in range(n_states)]


def pair(signal: str) -> tuple[str, str]:
    """The two lines that carry a signal, +v and -v."""
    plus, minus = (f"{signal}_{sign}" for sign in SIGNS)
    return plus, minus


def plus_line(signal: str) -> str:
    """The line that carries +v."""
    return pair(signal)[0]


def hidden(layer: int, index: int) -> str:
    """Output of a hidden neuron."""
    return f"h{layer}_{index}"


def layer_input(index: int) -> str:
    """An input of a layer, inside it, whatever feeds it."""
    return f"x{index}"


def layer_output(index: int) -> str:
    """An output of a hidden layer, inside it."""
    return f"h{index}"


def derivative(index: int) -> str:
    """Minus the derivative of a state."""
    return f"d{index}"


def linear(index: int) -> str:
    """Inside a layer: a two-stage neuron between its amplifier and its rectifier."""
    return f"z{index}"


def initial_condition(index: int) -> str:
    """Source of a state's initial value."""
    return f"ic{index}"


def capacitor(index: int) -> str:
    """The free end of a state's integrating capacitor."""
    return f"cap{index}"


def integrator(index: int) -> str:
    """Instance of a state's integrator."""
    return f"int{index}"


def vector(net: str, *inside: str) -> str:
    """A net's saved voltage.

    Args:
        inside: instances that the net lies in, outermost first, without SPICE's x; none: a net of the test bench.
    """
    return f"v({'.'.join([*(f'x{instance}' for instance in inside), net])})"


def external_vector(index: int) -> str:
    """Voltage of an external input's generator."""
    return vector(external_column(index))


def state_vector(index: int) -> str:
    """Voltage of a state's line."""
    return vector(plus_line(state_column(index)))


def initial_condition_vector(index: int) -> str:
    """Voltage of a state's initial-condition source."""
    return vector(initial_condition(index))


def derivative_vector(index: int) -> str:
    """Voltage that a state's integrator takes."""
    return vector(derivative(index), BOARD)


def hidden_vector(layer: int, index: int) -> str:
    """Voltage of a hidden neuron's output."""
    return vector(plus_line(hidden(layer, index)), BOARD)


def before_rectifier_vector(layer: int, index: int) -> str:
    """Voltage of a two-stage neuron between its amplifier and its rectifier; decks do not save it."""
    return vector(linear(index), BOARD, f"hidden_{layer}")


def parse_vector(name: str) -> BoardSignal | None:
    """What a saved vector stands for; None where it is none of the signals of a network."""
    for kind, pattern in _VECTORS.items():
        if match := re.fullmatch(pattern, name):
            return BoardSignal(kind=kind, **{field: int(digits) for field, digits in match.groupdict().items()})
    return None


def signal_words(name: str) -> str:
    """A saved vector as a reader knows it, ``v(xboard.h1_3_p)`` as hidden layer 1, neuron 3; else its own name."""
    signal = parse_vector(name)
    return signal.words if signal else name
