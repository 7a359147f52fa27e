"""Mackey-Glass, five steps ahead, on a network of leaky integrators that is one ngspice deck: twins against the deck.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.deck_networks --docs docs/results/deck-networks.md    # five minutes

The deck `leaky_integrator` is recorded, an ODE and an SDE twin are fitted to the recording, a network is trained on each twin
alone, and the same weights are compiled to a deck of memristor arrays, soft limiters, sample-and-holds and leaky integrators
with their noise. Twin and deck run over the same steps, which nothing was trained on.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path

import pandas as pd
import torch

from benchmarks.device_networks import NODES, WASHED, Bench
from circuits.dynamic.catalogue import find_device
from circuits.dynamic.squash import squash_table
from cosim.devices.from_training import trained_network
from cosim.devices.network_deck import compile_network_deck
from cosim.devices.network_runs import run_network
from cosim.devices.plan import SamplingPlan
from cosim.devices.sampling import sample
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE
from training.networks.network import DeviceNetwork
from training.networks.train import train_on_series
from training.tasks.mackey_glass import forecast
from training.trainer import one_thread
from training.twins.fit import FitOptions, fit_twin
from training.twins.fits.base import Descent
from training.twins.recording import Recording

AHEAD = 5
DEVICE = "leaky_integrator"
RECORDED = Path("runs/deck_networks/leaky_integrator.parquet")
MARGIN = 1.2  # of what the twin's network shows, for the deck's ranges


class DeckBench(Bench):
    """The same task, twins of the deck, and the deck in place of the devices."""

    def __init__(self, iterations: int, seed: int, steps: int):
        self.device, self.task, self.seed, self.rows = find_device(DEVICE), forecast(AHEAD, test=steps), seed, []
        sample(self.device, SamplingPlan(sequences=200, length=20, repeats=8, seed=1), RECORDED)
        recording = Recording.read(RECORDED)
        self.twins = {kind: fit_twin(recording, FitOptions(kind=kind, hidden=12, noise_hidden=8, seed=seed))
                      for kind in ("ode", "sde")}
        self.descent = Descent(steps=iterations, batch=32, learning_rate=2e-2, seed=seed)

    @torch.no_grad()
    def error(self, outputs: torch.Tensor) -> float:
        """MSE, raw units, of outputs (1, steps, 1)."""
        return float((outputs[0, WASHED:] - self.task.test[1][WASHED:]).square().mean()) * self.task.std**2

    @torch.no_grad()
    def on_deck(self, network: DeviceNetwork) -> tuple[float, float, float]:
        """Errors of twin and deck, and the deck's processor-bound seconds of wall clock."""
        inputs = self.task.test[0][None]
        outputs = network(inputs, torch.Generator().manual_seed(1))[0]
        largest = [MARGIN * float(values.abs().max()) for values in (self.task.test[0], outputs)]
        compiled = compile_network_deck(trained_network(network, [self.device] * len(network.layers), input_limit=largest[0],
                                                        output_limit=largest[1]))
        for note in compiled.notes:
            print(f"note: {note}")
        before = time.perf_counter()
        deck, _ = run_network(compiled, inputs.double().numpy(), seed=3, workers=1)
        return self.error(outputs), self.error(torch.from_numpy(deck)), time.perf_counter() - before

    def row(self, kind: str, layers: int) -> None:
        network = self.network(kind, layers, squash=squash_table())
        train_on_series(network, *self.task.train, self.descent)
        twin, deck, seconds = self.on_deck(network)
        self.rows.append({"network": f"{kind.upper()}, {layers} layers", "twin": f"{twin:.2e}", "ngspice deck": f"{deck:.2e}",
                          "deck / twin": f"{deck / twin:.2f}", "deck, s": f"{seconds:.0f}"})
        print(self.rows[-1], flush=True)


@one_thread()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--iterations", type=int, default=600, help="of Adam")
    parser.add_argument("--seed", type=int, default=0, help="of twins, weights and batches")
    parser.add_argument("--layers", type=int, default=2, help="of the networks")
    parser.add_argument("--steps", type=int, default=1100, help="of the test series, which the deck runs")
    args = parser.parse_args()
    bench = DeckBench(args.iterations, args.seed, args.steps)
    for kind in ("ode", "sde"):
        bench.row(kind, args.layers)
    table = pd.DataFrame(bench.rows)
    print(table.to_string(index=False))
    if args.docs:
        note = (f"MSE in raw units over {args.steps - WASHED} steps (divide by {bench.task.std**2:.3f} for a part of the "
                f"variance). {NODES} nodes a layer, {args.iterations} iterations, seed {args.seed}.")
        write_tables(args.docs, "Mackey-Glass on a deck of leaky integrators",
                     [MarkdownTable(heading="Twin and deck", frame=table, note=note)], engines=(NGSPICE.version(),),
                     command=f"python -m benchmarks.deck_networks {shlex.join(sys.argv[1:])}".strip())


if __name__ == "__main__":
    main()
