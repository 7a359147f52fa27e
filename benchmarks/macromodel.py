"""Macromodels against flat arrays: ngspice's time as a ratio, waveforms as a part of full scale.

    .venv/bin/python -m benchmarks.macromodel                # all four, about twenty minutes, nearly all of it flat decks
    .venv/bin/python -m benchmarks.macromodel hp             # HP twin, sine, every wire

The two decks of a comparison run one after the other, both with KLU. ``array``: one fully occupied array, 32 bit lines driven
by sines, source lines grounded. ``driven_layer``: the same with 32 ReLU amplifiers and 32 inverters. ``twelve_tiles``: a twin
with one input, one state and layers of 47, 60 and 1, the HP sine for 50 ms.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PySpice.Spice.Netlist import Circuit
from torch import nn

from benchmarks.profile import Profile, profile
from circuits.array.cell import cell_1t1r
from circuits.array.conductances import conductance_text
from circuits.array.crossbar import SIZE, memristor_array
from circuits.array.macromodel import Reduced, array_macro, reduce_array
from circuits.board.layer import LayerSpec, layer
from circuits.board.testbench import MACRO_SOLVER, SUPPLY
from circuits.netlist.block import Block
from circuits.netlist.deck import SOLVER, Deck, write_files
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.experiment import Experiment
from cosim.problem.case import Case
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths
from training.stimuli import STIMULI


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One circuit at both fidelities."""

    name: str
    flat: Profile
    macro: Profile
    apart: float  # of full scale, worst sample of the vectors compared

    @property
    def speed(self) -> float:
        """How many times faster the macro deck is."""
        return self.flat.total / self.macro.total

    def __str__(self) -> str:
        return (f"{self.name}: flat {_told(self.flat)}, macro {_told(self.macro)}: {self.speed:.0f} times faster, "
                f"{self.apart:.1e} of full scale apart")


def _told(one: Profile) -> str:
    return (f"{one.total:.2f} s ({one.shares}; {one.equations} equations, {one.memory / 1e6:.0f} MB, {one.points} points, "
            f"{one.iterations} iterations)")


def compare(name: str, write: Callable[[Path, str], Path], vectors: Sequence[str], start: float) -> Comparison:
    """Run both fidelities.

    Args:
        write: writes the deck of a fidelity below a folder and returns its path.
        vectors: compared; from ``start`` [s] on.
    """
    with tempfile.TemporaryDirectory() as made:
        flat, macro = (profile(write(Path(made) / fidelity, fidelity)) for fidelity in ("flat", "macro"))
    one, other = flat.result.waveforms, macro.result.waveforms
    times = np.linspace(start, one.time[-1], 1000)
    wanted, got = (np.stack([run.resample(vector, times) for vector in vectors]) for run in (one, other))
    return Comparison(name=name, flat=flat, macro=macro, apart=float(np.abs(got - wanted).max() / np.abs(wanted).max()))


def hp() -> Comparison:
    """The HP twin with every wire."""
    experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    return compare("HP twin", lambda folder, fidelity: _twin(experiment, folder, fidelity), ["v(x0_p)"], 5e-3)


def twelve_tiles() -> Comparison:
    """2-47-60-1, weights as torch draws them."""
    experiment = twelve_tiles_experiment()
    return compare("twelve tiles", lambda folder, fidelity: _twin(experiment, folder, fidelity), ["v(x0_p)"], 5e-3)


def twelve_tiles_experiment() -> Experiment:
    """Its network and its run."""
    torch.manual_seed(7)
    layers = [m for pair in pairwise((2, 47, 60, 1)) for m in (nn.Linear(*pair), nn.ReLU())][:-1]
    sine, times = STIMULI["sine"], np.linspace(0, 0.1, 101)
    return Experiment(
        subject="twelve tiles", model=nn.Sequential(*layers).double(), columns=("u0", "x0"),
        calibration=Calibration(inputs=sine(times)[:, None], states=np.linspace(-0.4, 0.4, 101)[:, None]),
        cases=(Case(name="sine", stimuli=(sine,), initial=(0.1,), duration=0.05, samples=51),))


def _twin(experiment: Experiment, folder: Path, fidelity: str) -> Path:
    experiment.compile(folder, Options(fidelity=fidelity))
    return folder / "sine.cir"


def array() -> Comparison:
    """One array with every cell in use, driven by sources, its source lines grounded through ammeters."""
    return compare("full array", _array_deck, [f"i(v_sl{k})" for k in range(SIZE)], 0.0)


def driven_layer() -> Comparison:
    """The same array with its 64 amplifiers."""
    return compare("full array, amplifiers", _layer_deck, [f"v(h{k}_p)" for k in range(SIZE)], 0.0)


SPEC = LayerSpec(name="full", n_inputs=SIZE // 2 - 1, n_outputs=SIZE, bias=True, relu=True, r_f=10e3)


def _array_deck(folder: Path, fidelity: str) -> Path:
    g, reduced = _conductances()
    block = (array_macro("full", reduced, n_lines=SIZE, wires=SPEC.wires) if fidelity == "macro"
             else memristor_array("full", cell_1t1r(SPEC.wires, SPEC.transistor)))
    c, lines = _bench("a fully occupied array")
    sums = [f"sl{k}" for k in range(SIZE)]
    for k in range(SIZE):
        c.V(f"_sl{k}", f"sl{k}", 0, "dc 0")
    c.X("dut", block.name, *lines, *sums, *["vcc"] * SIZE, "vee")
    return _written(folder, fidelity, block, c, g, [f"i(v_sl{k})" for k in range(SIZE)])


def _layer_deck(folder: Path, fidelity: str) -> Path:
    g, reduced = _conductances()
    block = layer(SPEC, {"full": reduced} if fidelity == "macro" else None)
    c, lines = _bench("a fully occupied array and its amplifiers")
    c.X("dut", block.name, *lines, *[f"h{k}_{sign}" for k in range(SIZE) for sign in "pn"], "vcc", "vee")
    return _written(folder, fidelity, block, c, g, [f"v(h{k}_p)" for k in range(SIZE)])


def _conductances() -> tuple[np.ndarray, Reduced]:
    g = np.random.default_rng(5).uniform(20e-6, 100e-6, (SIZE, SIZE))
    return g, reduce_array(g, n_outputs=SIZE, wires=SPEC.wires, transistor=SPEC.transistor)


def _bench(title: str) -> tuple[Circuit, list[str]]:
    """Supplies, fifteen pairs of sines and the bias; and the nodes of the 32 bit lines."""
    c = Circuit(title)
    c.V("_cc", "vcc", 0, f"dc {SUPPLY}")
    c.V("_ee", "vee", 0, f"dc {-SUPPLY}")
    lines = [f"bl{line}" for line in range(SIZE)]
    for j in range(SPEC.n_inputs):
        for line, sign in ((2 * j, ""), (2 * j + 1, "-")):
            c.V(f"_bl{line}", lines[line], 0, f"sin(0 {sign}0.1 {20 + 7 * j})")
    c.V("_bias_p", lines[-2], 0, "dc 0.2")
    c.V("_bias_n", lines[-1], 0, "dc -0.2")
    return c, lines


def _written(folder: Path, fidelity: str, block: Block, bench: Circuit, g: np.ndarray, save: Sequence[str]) -> Path:
    deck = Deck(name="full", title=bench.title, banner=(), block=block, bench=bench,
                analysis=".tran 2.5e-05 0.05 0 2.5e-05", save=tuple(save),
                options=f"{SOLVER} {MACRO_SOLVER}" if fidelity == "macro" else SOLVER,
                extra_files={"conductances/full.inc": conductance_text(g, "full")})
    write_files(folder, deck.files())
    return folder / "full.cir"


COMPARISONS = {"hp": hp, "array": array, "driven_layer": driven_layer, "twelve_tiles": twelve_tiles}


def main() -> None:
    """The comparisons that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", choices=[*COMPARISONS, []], help="default: all")
    for name in parser.parse_args().which or COMPARISONS:
        print(COMPARISONS[name](), flush=True)


if __name__ == "__main__":
    main()
