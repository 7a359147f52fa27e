"""The HP memristor report."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np

from circuits.array.conductances import read_conductances
from circuits.benches.blocks import block_bench
from circuits.board import nets
from circuits.engine.ngspice import find_engine
from circuits.engine.waveforms import Waveforms
from circuits.netlist.deck import write_files
from cosim.comparison.metrics import FLOOR
from cosim.comparison.second_opinion import table
from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest
from cosim.folder.read import read_folder_network
from cosim.problem.case import Case
from cosim.problem.reference import reference
from cosim.report.conductance_maps import conductance_maps
from cosim.report.neurons import neurons
from cosim.report.overlays import overlays
from cosim.report.page import Figure, Section, write_page
from cosim.report.pre_charge import pre_charge
from cosim.report.style import save
from cosim.report.transfer_curves import transfer_curves
from cosim.simulation.decks import Run, read_vectors, simulate
from cosim.store.files import read_frame
from cosim.studies.hp_memristor.lissajous import lissajous
from cosim.studies.hp_memristor.pipeline import HPResults, summary
from training.systems.hp_memristor import DRIVES

PROVENANCE = {"flat": "Full decks: three arrays of 1024 cells, every wire segment.",
              "macro": "Reduced decks: each of the three arrays is reduced to what is between its pins."}
SHOWN = "sine"  # the case whose neurons and pre-charge are shown


def write_report(results: HPResults, manifests: dict[str, Manifest], rows: list[dict], opinions: dict[str, dict]) -> Path:
    """Figures as PNG in ``figures/``, and report.html with all of them inside.

    Raises:
        ResultsError: a result is missing; says which.
    """
    folder = results.root / "figures"
    sections = []
    for drive, manifest in manifests.items():
        frames = {name: read_frame(results.waveforms(drive, name)) for name in manifest.cases}
        vectors = read_frame(results.vectors(drive, SHOWN))
        case, start = manifest.cases[SHOWN], manifest.start
        words = f"{drive} drive"
        pictures = {
            "overlays": (overlays(frames), f"Twin against torch against truth, {words}, with error traces."),
            "lissajous": (lissajous(frames, DRIVES[drive]), f"Current against voltage of the device, {words}: the pinched "
                          "hysteresis of a memristor, from the true state and from the twin's."),
            "neurons": (neurons(vectors, _hidden_volts(manifest, case), case.times, start),
                        f"Six hidden neurons of each layer, {words}, {SHOWN}: torch (line) and circuit (dashes)."),
            "conductances": (conductance_maps(*_arrays(manifest)), f"Programmed conductances, {words}; the white frame "
                             "holds the cells in use, the word lines below it are off."),
            "pre_charge": (pre_charge(vectors, start), f"Pre-charge and integration of the IVP integrator, {words}, {SHOWN}."),
        }
        figures = [Figure(png=save(figure, folder / f"{drive}_{name}.png"), caption=caption)
                   for name, (figure, caption) in pictures.items()]
        sections.append(Section(title=f"{words[0].upper()}{words[1:]}", figures=figures))
    curves = save(transfer_curves(_block(results, "relu_tia"), _block(results, "clamp")), folder / "transfer_curves.png")
    caption = "ReLU stage (10 kΩ, loaded with 1 kΩ) and clamp, each simulated alone."
    sections.append(Section(title="Stages alone", figures=[Figure(png=curves, caption=caption)]))
    hits = [f"{row['drive']} {row['stimulus']}: {nets.signal_words(line)} {hit['peak']:.2f} V, first at {hit['time']:.4g} s"
            for row in rows for line, hit in row["clamp_hits"].items()]
    shown = summary(rows, results)
    return write_page(results.report, "hp_memristor.html", {
        "title": "HP memristor twin",
        "columns": list(shown.columns),
        "rows": shown.to_numpy().tolist(),
        "opinions": [(f"{drive} drive: {told['engines'][1]} against {told['engines'][0]}", list(table(told).columns),
                      table(told).to_numpy().tolist()) for drive, told in opinions.items()],
        "floor": f"{FLOOR:.0%}",
        "hits": hits,
        "sections": sections,
        "provenance": PROVENANCE[next(iter(manifests.values())).fidelity],
        "origin": _origin(manifests),
    })


def _hidden_volts(manifest: Manifest, case: Case) -> list[np.ndarray]:
    network = read_folder_network(manifest)
    *hidden, _ = network.signals(case.inputs(case.times), reference(network, case))
    return [signal * scale for signal, scale in zip(hidden, manifest.scales.hidden, strict=True)]


def _arrays(manifest: Manifest) -> tuple[dict[str, np.ndarray], dict[str, tuple[int, int]]]:
    layers = manifest.board.layers
    arrays = {layer.name: read_conductances(manifest.folder / "conductances" / f"{layer.name}.inc") for layer in layers}
    used = {layer.name: (layer.n_outputs, layer.n_bit_lines) for layer in layers}
    return arrays, used


def _block(results: HPResults, name: str) -> Waveforms:
    deck = block_bench(name)
    folder = results.root / "decks" / "blocks"
    write_files(folder, deck.files())
    run = Run(deck=folder / f"{deck.name}.cir", vectors=results.root / "vectors" / f"block_{name}.parquet", label=name)
    simulate([run])
    if not run.vectors.is_file():
        raise ResultsError(f"{run.vectors} was not written; run the report again")
    return read_vectors(run.vectors)


def _origin(manifests: dict[str, Manifest]) -> list[tuple[str, str]]:
    rows = [(f"weights, {drive} drive", manifest.weights_sha256) for drive, manifest in manifests.items()]
    rows += [("ngspice", str(find_engine().version))]
    return rows + [(name, version(name)) for name in ("cosim", "PySpice", "numpy", "scipy", "torch", "torchdiffeq")]
