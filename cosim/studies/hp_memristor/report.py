"""The HP memristor report."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from circuits.benches.blocks import block_bench
from circuits.board import nets
from circuits.engine.ngspice import find_engine
from circuits.engine.waveforms import Waveforms
from circuits.netlist.deck import write_files
from cosim.comparison.metrics import FLOOR
from cosim.comparison.second_opinion import table as opinion_table
from cosim.errors import ResultsError
from cosim.folder.compiled import CompiledNetwork
from cosim.report.conductance_maps import conductance_maps
from cosim.report.neurons import neurons
from cosim.report.overlays import overlays
from cosim.report.page import Figure, Section, write_page
from cosim.report.pre_charge import pre_charge
from cosim.report.transfer_curves import transfer_curves
from cosim.simulation.decks import Run, read_vectors, simulate
from cosim.simulation.expected import hidden_volts
from cosim.store.files import read_frame
from cosim.studies.hp_memristor.lissajous import lissajous
from cosim.studies.hp_memristor.results import HPResults, waveforms_name
from cosim.studies.hp_memristor.table import table
from training.systems.hp_memristor import DRIVES

PROVENANCE = {"flat": "Flat decks: every cell and wire segment of the rows in use; the rows that are off are left out.",
              "macro": "Reduced decks: each of the three arrays is reduced to what is between its pins."}
SHOWN = "sine"  # the case whose neurons and pre-charge are shown


def write_report(results: HPResults, compiled: Mapping[str, CompiledNetwork], rows: list[dict], opinions: dict[str, dict],
                 page: Path) -> Path:
    """Figures as PNG in ``figures/``, and the page with all of them inside.

    Raises:
        ResultsError: a result is missing; says which.
    """
    sections = [_drive(results, drive, network) for drive, network in compiled.items()]
    curves = Figure.drawn(transfer_curves(_block(results, "relu_tia"), _block(results, "clamp")),
                          "ReLU stage (10 kΩ, loaded with 1 kΩ) and clamp, each simulated alone.",
                          results.figures / "transfer_curves.png")
    sections.append(Section(title="Stages alone", figures=[curves]))
    hits = [f"{row['drive']} {row['stimulus']}: {nets.signal_words(line)} {hit['peak']:.2f} V, first at {hit['time']:.4g} s"
            for row in rows for line, hit in row["clamp_hits"].items()]
    shown = table(rows, results)
    return write_page(page, "hp_memristor.html", {
        "title": "HP memristor twin",
        "columns": list(shown.columns),
        "rows": shown.to_numpy().tolist(),
        "opinions": [_opinion(drive, opinion) for drive, opinion in opinions.items()],
        "floor": f"{FLOOR:.0%}",
        "hits": hits,
        "sections": sections,
        "provenance": PROVENANCE[next(iter(compiled.values())).fidelity],
        "origin": _origin(compiled),
    })


def _drive(results: HPResults, drive: str, compiled: CompiledNetwork) -> Section:
    frames = {name: read_frame(results.waveforms(waveforms_name(drive, name))) for name in compiled.cases}
    vectors = read_vectors(results.vectors(drive, SHOWN))
    case, start, words = compiled.cases[SHOWN], compiled.manifest.start, f"{drive} drive"
    pictures = {
        "overlays": (overlays(frames), f"Twin against torch against truth, {words}, with error traces."),
        "lissajous": (lissajous(frames, DRIVES[drive]), f"Current against voltage of the device, {words}: the pinched "
                      "hysteresis of a memristor, from the true state and from the twin's."),
        "neurons": (neurons(vectors, hidden_volts(compiled, case), case.times, start),
                    f"Six hidden neurons of each layer, {words}, {SHOWN}: torch (line) and circuit (dashes)."),
        "conductances": (conductance_maps(compiled.board.layers, compiled.conductances(), compiled.manifest.window),
                         f"Programmed conductances, {words}; the white frame holds the cells in use, the word lines below it "
                         "are off."),
        "pre_charge": (pre_charge(vectors, start), f"Pre-charge and integration of the IVP integrator, {words}, {SHOWN}."),
    }
    figures = [Figure.drawn(picture, caption, results.figures / f"{drive}_{name}.png")
               for name, (picture, caption) in pictures.items()]
    return Section(title=f"{words[0].upper()}{words[1:]}", figures=figures)


def _opinion(drive: str, opinion: dict) -> tuple[str, list[str], list[list[str]]]:
    shown, (engine, other) = opinion_table(opinion), opinion["engines"]
    return f"{drive} drive: {other} against {engine}", list(shown.columns), shown.to_numpy().tolist()


def _block(results: HPResults, name: str) -> Waveforms:
    deck = block_bench(name)
    folder = results.decks("blocks")
    write_files(folder, deck.files())
    run = Run(deck=folder / f"{deck.name}.cir", vectors=results.vectors("block", name), label=name)
    simulate([run])
    if not run.vectors.is_file():
        raise ResultsError(f"{run.vectors} was not written; run the report again")
    return read_vectors(run.vectors)


def _origin(compiled: Mapping[str, CompiledNetwork]) -> list[tuple[str, str]]:
    rows = [(f"weights, {drive} drive", network.manifest.weights_sha256) for drive, network in compiled.items()]
    rows += [("ngspice", str(find_engine().version))]
    return rows + [(name, version(name)) for name in ("cosim", "PySpice", "numpy", "scipy", "torch", "torchdiffeq")]
