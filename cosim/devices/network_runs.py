"""A network's decks over many sequences, in parallel."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from circuits.engine.job import Job
from circuits.engine.pool import run_many
from circuits.engine.result import Result
from circuits.errors import SeveralFailed, SimulationError
from circuits.netlist.deck import write_files
from cosim.devices.network_deck import NetworkDeck
from cosim.errors import ClippingError

TIMEOUT = 7200.0  # s a deck; three layers of 50 devices take about a second a step


def run_network(compiled: NetworkDeck, inputs: np.ndarray, *, seed: int = 0, workers: int | None = None,
                progress: Callable[[int, int], None] | None = None) -> tuple[np.ndarray, list[np.ndarray]]:
    """Run a compiled network in ngspice, a deck per sequence.

    Args:
        inputs: (sequences, steps, n_inputs).
        seed: of the devices' noise; every sequence has noise of its own.
        progress: called with (decks done, decks) after each.
    Returns:
        Outputs (sequences, steps, outputs), and per layer the observables (sequences, steps + 1, nodes) [V].
    Raises:
        ClippingError: inputs of another shape, not finite or beyond the network's limit.
        SimulationError, SeveralFailed: decks that failed.
    """
    inputs = np.asarray(inputs, dtype=float)
    if inputs.ndim != 3 or not len(inputs):
        raise ClippingError(f"inputs of shape {inputs.shape}; give (sequences, steps, {compiled.network.n_inputs})")
    found: dict[int, tuple[np.ndarray, list[np.ndarray]]] = {}
    with tempfile.TemporaryDirectory(prefix="cosim-network-") as place:
        folders = [Path(place) / str(number) for number in range(len(inputs))]
        compiled.check(inputs)

        def write(number: int) -> None:
            write_files(folders[number], compiled.deck(inputs[number], seed, number).files())

        def keep(number: int, result: Result) -> None:
            found[number] = compiled.read(result, inputs.shape[1])

        outcomes = run_many([Job(deck=folder / "network.cir", timeout=TIMEOUT) for folder in folders], workers, progress,
                            on_start=write, on_result=keep)
    failures = [outcome for outcome in outcomes if isinstance(outcome, SimulationError)]
    if failures:
        raise failures[0] if len(failures) == 1 else SeveralFailed(failures)
    runs = [found[number] for number in range(len(inputs))]
    return np.stack([outputs for outputs, _ in runs]), [np.stack(layers) for layers in zip(*(x for _, x in runs), strict=True)]
