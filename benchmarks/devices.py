"""The dynamic devices against their physics, and what couples the layers of a network of them.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.devices    # four minutes

Expectations are by hand or by an integration of our own; nothing here reads a figure off the deck that it checks.
"""

from __future__ import annotations

import argparse
import resource
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import periodogram
from scipy.stats import binom

from circuits.benches.nodes import BENCHES
from circuits.corners.corner import CORNERS
from circuits.dynamic import bistable_node, leaky_integrator
from circuits.dynamic.catalogue import find_device
from circuits.dynamic.limiter import knee
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.netlist.deck import write_files
from circuits.netlist.solver import Solver
from circuits.parts import model_parameters
from cosim.devices.network_deck import NetworkDeck, compile_network_deck
from cosim.devices.trained import DeviceLayer, TrainedNetwork
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE

NODES = ("leaky_integrator", "memristor_node", "bistable_node")
LINEAR = {"leaky_integrator": (0.0, 1.0), "leaky_integrator at -1 V": (-1.0, np.hypot(1, 0.1647 / leaky_integrator.CORNER)),
          "memristor_node": (0.0, 1.0)}  # input [V], factor of the noise that the output there makes
TAU = 10e-3  # s, of both
KICKS = (-0.8, -0.85, -0.9, -0.95, -1.0)  # V


def generators(runs: int, seed: int = 11) -> list[np.random.Generator]:
    """One per run."""
    return [np.random.default_rng([seed, k]) for k in range(runs)]


def physics(folder: Path) -> pd.DataFrame:
    """Measures of every node's bench, and the limiter's knee."""
    rows = []
    for name in NODES:
        deck = BENCHES[name](CORNERS["nominal"])
        write_files(folder, deck.files())
        result = run(Job(deck=folder / f"{name}.cir"))
        rows += [(name, measure.name, measure.expect, result.measure(measure.name)) for measure in deck.measures]
    device, (at, _) = find_device("leaky_integrator"), knee(leaky_integrator.R_LIM, leaky_integrator.R_IN)
    levels = at + np.arange(-0.06, 0.061, 0.01)
    out = device.respond(np.repeat(np.append(levels, [0.02, -0.02]), 40).reshape(-1, 40, 1))[:, -1, 0]
    slopes = np.diff(out[:-2]) / np.diff(levels) / ((out[-2] - out[-1]) / 0.04)
    rows.append(("leaky_integrator", "input at half the slope", at, np.interp(-0.5, -slopes, (levels[1:] + levels[:-1]) / 2)))
    return pd.DataFrame([{"node": node, "what": what, "expected": f"{expected:.5g} V", "simulated": f"{got:.5g} V",
                          "off": f"{got / expected - 1:+.2%}"} for node, what, expected, got in rows])


def noise(runs: int = 150, steps: int = 200) -> pd.DataFrame:
    """Deviation, autocorrelation and spectrum of the nodes that are linear at a point of work."""
    rows = []
    for label, (level, factor) in LINEAR.items():
        device = find_device(label.split()[0])
        inputs = np.full((runs, steps + 24, 1), level)
        x = device.respond(inputs, device.draw(steps + 24, generators(runs)))[:, 25:, 0]
        f = np.linspace(0, 30 / device.noise.correlation_time, 60_001)
        power = (device.noise.deviation * factor) ** 2 * device.noise.spectrum(f) / (1 + (2 * np.pi * f * TAU) ** 2)
        total = np.trapezoid(power, f)
        rows.append((label, "deviation, mV", 1e3 * np.sqrt(total), 1e3 * x.std()))
        centred = x - x.mean()
        for lag in (1, 4, 8):
            expected = np.trapezoid(power * np.cos(2 * np.pi * f * lag * device.step_time), f) / total
            got = np.mean(centred[:, lag:] * centred[:, :-lag]) / np.mean(centred**2)
            rows.append((label, f"autocorrelation, {1e3 * lag * device.step_time:g} ms", expected, got))
        frequency, density = periodogram(centred, fs=1 / device.step_time, detrend=False)
        for low, high in ((4.0, 10.0), (10.0, 30.0), (30.0, 80.0)):
            band, fine = (frequency > low) & (frequency < high), (f > low) & (f < high)
            rows.append((label, f"density, {low:g} to {high:g} Hz, uV/sqrt(Hz)", 1e6 * np.sqrt(power[fine].mean()),
                         1e6 * np.sqrt(density[:, band].mean())))
    return pd.DataFrame([{"node": node, "what": what, "expected": f"{expected:.4g}", "simulated": f"{got:.4g}",
                          "off": f"{got / expected - 1:+.1%}"} for node, what, expected, got in rows])


def steps_halved(runs: int = 20) -> pd.DataFrame:
    """What halving the solver's step, or the step of the recording, changes while the draws stay: nothing but solver error."""
    rows = []
    for name in NODES:
        device = find_device(name)
        inputs = np.random.default_rng(2).uniform(-1, 1, (runs, 40, 1))
        draws = device.draw(40, generators(runs))
        usual = device.respond(inputs, draws)
        finer = replace(device, solver=Solver(trtol=1.0), largest_step=device.noise.grid / 2).respond(inputs, draws)
        halved = replace(device, step_time=device.step_time / 2)
        twice = halved.respond(np.repeat(inputs, 2, axis=1), halved.draw(80, generators(runs)))[:, ::2]
        part = (usual - device.respond(inputs)).std()
        rows.append({"node": name, "noise, rms": f"{1e3 * part:.2f} mV",
                     "solver's step halved, worst": f"{1e6 * np.abs(finer - usual).max():.1f} uV",
                     "recording's step halved, worst": f"{1e6 * np.abs(twice - usual).max():.1f} uV"})
    return pd.DataFrame(rows)


def branch_by_euler(kick: float, runs: int = 10_000, dt: float = 20e-6) -> float:
    """Part of runs on the upper branch at the end, by Euler-Maruyama of the bistable node's equation and its noise's."""
    diode = model_parameters("d1n4148", "d1n4148")
    width = diode["n"] * 1.380649e-23 * 300.15 / 1.602176634e-19
    node = np.linspace(-0.7, 0.7, 40_001)  # V, at the diodes; what drives them is explicit in it
    drive = node + bistable_node.R_LIM * (node / bistable_node.R_P + 2 * diode["is"] * np.sinh(node / width))
    draw, tau_n = np.random.default_rng(8), bistable_node.NOISE_TIME
    a, v = draw.standard_normal(runs), np.zeros(runs)
    for s in np.repeat([1.0, kick, 0.0], [24, 6, 8]):
        for _ in range(round(bistable_node.STEP / dt)):
            back = bistable_node.R_F / bistable_node.R_P * np.interp(bistable_node.R_B / bistable_node.R_A * v, drive, node)
            sigma = bistable_node.SIGMA * np.sqrt(1 + (v / bistable_node.CORNER) ** 2)
            v = v + dt / bistable_node.TAU * (back - v - bistable_node.R_F / bistable_node.R_IN * s + sigma * a)
            a = a - dt / tau_n * a + np.sqrt(2 * dt / tau_n) * draw.standard_normal(runs)
    return float(np.mean(v > 0))


def branches(runs: int = 400) -> pd.DataFrame:
    """Probability of the upper branch after a kick of 15 ms, deck against our own integration."""
    device, rows = find_device("bistable_node"), []
    for number, kick in enumerate(KICKS):
        inputs = np.repeat([1.0, kick, 0.0], [12, 6, 8]) * np.ones((runs, 1))
        out = device.respond(inputs[..., None], device.draw(26, generators(runs, 20 + number)))[:, -1, 0]
        p, upper = branch_by_euler(kick), int(np.sum(out > 0))
        low, high = binom.interval(0.95, runs, p)
        rows.append({"kick": f"{kick:g} V", "integration": f"{p:.3f}", "deck": f"{upper / runs:.3f}",
                     "95 % of decks lie in": f"{low / runs:.3f} to {high / runs:.3f}",
                     "inside": "yes" if low <= upper <= high else "no"})
    return pd.DataFrame(rows)


def transfer(folder: Path, nodes: int = 6, steps: int = 120, settled: int = 40) -> pd.DataFrame:
    """Three layers without noise: the one deck against the network that exchanges values once a step."""
    rows = []
    for name, std in (("leaky_integrator", 0.055), ("memristor_node", 0.08)):
        draw = np.random.default_rng(1)
        sizes = ((1, nodes), (nodes, nodes), (nodes, nodes))
        layers = tuple(DeviceLayer(theta=draw.normal(0, 1.5, (n_out, n_in + 1)) / np.sqrt(n_in), device=find_device(name),
                                   mean=0.0, std=std) for n_in, n_out in sizes)
        network = TrainedNetwork(layers=layers, readout=draw.normal(0, 1, (1, nodes + 1)), input_limit=2.0, output_limit=10.0)
        inputs = draw.uniform(-2, 2, (steps, 1))
        wanted, reference = network.stepwise(inputs)
        for coupling in ("held", "direct"):
            compiled = compile_network_deck(network, coupling=coupling, noisy=False)
            outputs, observed, seconds, points = _timed(compiled, inputs, folder)
            off = [np.sqrt(np.mean((x - y)[settled:] ** 2) / np.mean(y[settled:].var(axis=0)))
                   for x, y in zip([*observed, outputs], [*reference, wanted], strict=True)]
            rows.append({"devices": name, "coupling": coupling,
                         **{f"layer {k}": f"{part:.2%}" for k, part in enumerate(off[:-1], 1)},
                         "output": f"{off[-1]:.2%}", "points a step": f"{points / steps:.0f}",
                         "processor time a step": f"{1e3 * seconds / steps:.0f} ms"})
    return pd.DataFrame(rows)


def _timed(compiled: NetworkDeck, inputs: np.ndarray, folder: Path) -> tuple[np.ndarray, list[np.ndarray], float, int]:
    write_files(folder, compiled.deck(inputs).files())
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result = run(Job(deck=folder / "network.cir"))
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return *compiled.read(result, len(inputs)), seconds, len(result.waveforms)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything, print it, and write it where --docs says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, help="Markdown file for the tables")
    parser.add_argument("--out", type=Path, default=Path("runs/devices/benchmark"), help="folder for the decks")
    options = parser.parse_args(arguments)
    tables = [
        MarkdownTable(heading="Physics of the nodes", frame=physics(options.out / "benches"),
                      note="Without noise; expectations by hand, in `circuits/benches/nodes.py`."),
        MarkdownTable(heading="Noise", frame=noise(),
                      note="150 runs of 200 steps; the noise's own spectrum behind a low-pass of 10 ms."),
        MarkdownTable(heading="Halved steps", frame=steps_halved(), note="The same draws, 20 runs of 40 steps."),
        MarkdownTable(heading="Branches of the bistable node", frame=branches(),
                      note="1 V for twelve steps, the kick for six, 0 V for eight; 400 decks, 10 000 integrations."),
        MarkdownTable(heading="Coupling of layers", frame=transfer(options.out / "network"),
                      note="Three layers of six devices, noise off; RMS difference to the network that exchanges values once "
                           "a step, as part of the signals' deviation in time."),
    ]
    for table in tables:
        print(f"\n{table.heading}\n{table.frame.to_string(index=False)}")
    if options.docs is not None:
        command = shlex.join(["python", "-m", "benchmarks.devices", *(sys.argv[1:] if arguments is None else arguments)])
        write_tables(options.docs, "Dynamic devices", tables, command=command, engines=(NGSPICE.version(),))


if __name__ == "__main__":
    main()
