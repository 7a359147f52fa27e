"""Mackey-Glass, five steps ahead, on networks of noisy leaky integrators: what twins promise and what the devices keep.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.device_networks    # minutes; --docs FILE writes the table

The devices are the equation of `benchmarks.leaky_device`, not decks. Every network is trained on its twins alone, but for the
cascade, and then run with the same weights on the devices, with noise, over 2 000 steps that no one was trained on.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from benchmarks.leaky_device import LeakyDevice
from cosim.report.markdown_table import MarkdownTable, write_tables
from training.networks.cascade import cascade
from training.networks.layer import Layer
from training.networks.network import DeviceNetwork, on_devices
from training.networks.train import fit_readout, train_on_series
from training.tasks.baselines import NoisyLayer, linear_of_delays, reservoir_of
from training.tasks.mackey_glass import Forecast, forecast
from training.trainer import one_thread
from training.twins.fit import FitOptions, fit_twin
from training.twins.fits.base import Descent
from training.twins.twin import Twin

AHEAD = 5
NODES = 20  # a layer
NOISE = 0.1  # of an observable's standard deviation, about the device's
WASHED = 100  # steps of a run before its error counts


class Bench:
    """The task, the twins, the devices and the rows found so far."""

    def __init__(self, iterations: int, seed: int):
        self.task: Forecast = forecast(AHEAD)
        recording = LeakyDevice().record(400, 20, 8, seed=1)
        self.twins: dict[str, Twin] = {kind: fit_twin(recording, FitOptions(kind=kind, hidden=12, noise_hidden=8, seed=seed))
                                       for kind in ("ode", "sde")}
        self.descent = Descent(steps=iterations, batch=32, learning_rate=2e-2, seed=seed)
        self.seed, self.rows = seed, []

    def network(self, kind: str, layers: int, noise: float | None = None, squash=None) -> DeviceNetwork:
        """Weights of the first layer uniform in +-1, of the others normal with 0.5; squash is :class:`Layer`'s."""
        made = []
        for k in range(layers):
            size = {"spread": 0.5 if k else 1.0, "uniform": k == 0, "seed": 100 * self.seed + k, "squash": squash}
            shape = (self.twins[kind], NODES if k else 1, NODES)
            made.append(Layer(*shape, **size) if noise is None else NoisyLayer(*shape, noise=noise, **size))
        return DeviceNetwork(made, 1)

    def error(self, outputs: Tensor) -> float:
        """MSE, raw units, of outputs (1, rows, 1) on the test."""
        return float((outputs[0, WASHED:] - self.task.test[1][WASHED:]).square().mean()) * self.task.std**2

    def physical(self, network: DeviceNetwork):
        return on_devices([LeakyDevice()] * len(network.layers))

    @torch.no_grad()
    def report(self, name: str, network: DeviceNetwork, seconds: float) -> None:
        inputs = self.task.test[0][None]
        twin = self.error(network(inputs, torch.Generator().manual_seed(1))[0])
        device = self.error(network.outputs_on(self.physical(network), inputs, seed=3))
        self.rows.append({"network": name, "twin": f"{twin:.2e}", "devices": f"{device:.2e}",
                          "devices / twin": f"{device / twin:.2f}", "CPU s": f"{seconds:.0f}"})
        print(self.rows[-1], flush=True)

    def trained(self, name: str, network: DeviceNetwork) -> DeviceNetwork:
        """Train on the twins, report, and give back."""
        before = time.process_time()
        train_on_series(network, *self.task.train, self.descent)
        self.report(name, network, time.process_time() - before)
        return network

    def linear(self) -> None:
        predict = linear_of_delays(*self.task.train, taps=30)
        far = predict(self.task.test[0]) - self.task.test[1][29:]
        error = float(far[WASHED - 29 :].square().mean()) * self.task.std**2
        self.rows.append({"network": "linear model of 30 delays", "twin": f"{error:.2e}", "devices": "", "devices / twin": "",
                          "CPU s": ""})

    @torch.no_grad()
    def reservoir(self, network: DeviceNetwork) -> None:
        """Its readout is fitted to what the devices show over the training series."""
        found = reservoir_of(network, seed=self.seed)
        shown = found.layers[-1].shown(self.physical(found)(found, self.task.train[0][None], 5)[-1])[0]
        fit_readout(found, shown[WASHED:], self.task.train[1][WASHED:])
        self.report(f"reservoir, {len(network.layers)} layers, readout fitted on devices", found, 0.0)

    def cascade(self, layers: int) -> None:
        before = time.process_time()
        network = self.network("sde", layers)
        u, target = self.task.train
        descent = Descent(steps=self.descent.steps, batch=32, learning_rate=2e-2, seed=self.seed)
        cascade(network, u[None], self.physical(network),
                lambda part, shown: train_on_series(part, shown[0], target, descent),
                lambda part, shown: fit_readout(part, shown[0, WASHED:], target[WASHED:]), seed=11)
        self.report(f"SDE, {layers} layers, cascade", network, time.process_time() - before)


@one_thread()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--iterations", type=int, default=600, help="of Adam; 4000 are the method's own")
    parser.add_argument("--seed", type=int, default=0, help="of twins, weights and batches")
    parser.add_argument("--layers", type=int, nargs="+", default=[2, 3], help="networks of so many layers")
    args = parser.parse_args()
    bench = Bench(args.iterations, args.seed)
    steps: list[Callable[[], object]] = [bench.linear]
    for layers in args.layers:
        steps.append(lambda n=layers: bench.trained(f"ODE, {n} layers", bench.network("ode", n)))
        steps.append(lambda n=layers: bench.trained(f"ODE and output noise, {n} layers", bench.network("ode", n, noise=NOISE)))
        steps.append(lambda n=layers: bench.reservoir(bench.trained(f"SDE, {n} layers", bench.network("sde", n))))
        steps.append(lambda n=layers: bench.cascade(n))
    for step in steps:
        step()
    table = pd.DataFrame(bench.rows)
    print(table.to_string(index=False))
    if args.docs:
        note = (f"MSE in raw units over {bench.task.steps - WASHED} steps (divide by {bench.task.std**2:.3f} for a part of the "
                f"variance). {NODES} nodes a layer, {args.iterations} iterations, seed {args.seed}; the devices are "
                "equations with noise. A cascade is trained on what the devices show, so its error on them may be the smaller "
                "one.")
        tables = [MarkdownTable(heading="Mackey-Glass", frame=table, note=note)]
        write_tables(args.docs, "Networks of noisy leaky integrators", tables,
                     command=f"python -m benchmarks.device_networks {shlex.join(sys.argv[1:])}".strip())


if __name__ == "__main__":
    main()
