"""The rows of `make speed`: what is measured, and what must be reached."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

import benchmarks.behavioural
from benchmarks.before import unpack
from benchmarks.growth import compile_seconds, exponent, measure
from benchmarks.in_turn import apart, in_turn, tight
from benchmarks.profile import Profile, profile
from circuits.engine.waveforms import Waveforms
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.console import Console
from cosim.experiment import Experiment
from cosim.folder.compiled import CompiledNetwork
from cosim.problem.case import Case
from cosim.problem.reference import reference
from cosim.simulation.twin_states import twin_states
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.hp_memristor.experiment import hp_experiment, hp_options
from cosim.studies.lorenz96.experiment import PHASES, Lorenz96Setup
from cosim.studies.lorenz96.results import Lorenz96Results
from cosim.studies.lorenz96.twins import compile_twins, ensure_twins, measure_lags
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths
from training.stimuli import STIMULI
from training.systems.lorenz96 import FORCINGS

TIGHT = 1e-5  # of full scale, how far a deck may be from a tight run of itself
BOARD_READY = 5e-3  # s, end of the pre-charge
# Four times a deck's own step: the run is half a period of its sine, and `cosim convergence` finds this enough.
TWELVE_STEP = 4 * 0.05 / 2000  # s
RECORDED = {256: 121.0, 512: 225.0}  # s, compiling 6-h-h-6 before the work on speed, on this kind of machine; the code is gone
GROWTH = (64, 128, 256, 512, 1024)
SIMULATED = 512  # the deck of 1024 is larger than the 64 MiB that are read of a deck


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table. A row without a must has no verdict."""

    what: str
    measured: str
    must: str = ""
    aim: str = ""
    holds: bool = True
    profiles: dict[str, Profile] = field(default_factory=dict)  # by deck
    apart: dict[str, float] = field(default_factory=dict)  # by stimulus, parts of full scale

    @property
    def verdict(self) -> str:
        if not self.must:
            return ""
        return "holds" if self.holds else "MISSED"


def hp() -> Iterator[Row]:
    """The HP twin, current drive, sine: reduced arrays and flat."""
    experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    with tempfile.TemporaryDirectory() as made:
        old = unpack(Path(made) / "before")
        decks = {fidelity: _compiled(experiment, Path(made) / fidelity, hp_options(fidelity=fidelity))
                 for fidelity in ("macro", "flat")}
        before, now = in_turn(old / "hp_macro" / "sine.cir", decks["macro"], rounds=3)
        error = apart(now.result, tight(decks["macro"]), ["v(x0_p)"], BOARD_READY)
        yield _faster("HP twin, macro", before.seconds, now.seconds, 2.5, 4, error,
                      {"HP twin, macro": profile(decks["macro"])})
        flat_before, flat = in_turn(old / "hp_flat" / "sine.cir", decks["flat"])
        yield _faster("HP twin, macro, against the flat deck of before", flat_before.seconds, now.seconds, 90, 150)
        yield _faster("HP twin, flat", flat_before.seconds, flat.seconds, 1, 1.5, apart(now.result, flat.result, ["v(x0_p)"],
                      BOARD_READY), {"HP twin, flat": profile(decks["flat"])}, from_what="the macro deck")


def twelve_tiles() -> Iterator[Row]:
    """2-47-60-1, weights as torch draws them, the HP sine for 50 ms."""
    torch.manual_seed(7)
    layers = [m for pair in pairwise((2, 47, 60, 1)) for m in (nn.Linear(*pair), nn.ReLU())][:-1]
    sine, times = STIMULI["sine"], np.linspace(0, 0.1, 101)
    experiment = Experiment(
        subject="twelve tiles", model=nn.Sequential(*layers).double(), columns=("u0", "x0"),
        calibration=Calibration(inputs=sine(times)[:, None], states=np.linspace(-0.4, 0.4, 101)[:, None]),
        cases=(Case(name="sine", stimuli=(sine,), initial=(0.1,), duration=0.05, samples=51),))
    with tempfile.TemporaryDirectory() as made:
        old = unpack(Path(made) / "before")
        deck = _compiled(experiment, Path(made) / "now", Options(fidelity="macro", max_step=TWELVE_STEP))
        before, now = in_turn(old / "twelve_tiles" / "sine.cir", deck, rounds=2)
        error = apart(now.result, tight(deck), ["v(x0_p)"], BOARD_READY)
        yield _faster("twelve tiles (2-47-60-1), macro", before.seconds, now.seconds, 2.5, 4, error,
                      {"twelve tiles, macro": profile(deck)})


def lorenz96() -> Iterator[Row]:
    """The reference network of F = 6, both phases, 48 time units."""
    setup = Lorenz96Setup(systems=(next(iter(FORCINGS.values())),), seeds=1)
    with tempfile.TemporaryDirectory() as made:
        old = unpack(Path(made) / "before") / "lorenz96"
        pipeline = Pipeline(results=Lorenz96Results(root=Path(made) / "now"), console=Console(quiet=True), workers=1)
        twins = ensure_twins(setup, pipeline.console)
        twin = compile_twins(setup, pipeline, twins, measure_lags(setup, pipeline, twins))[twins[0].name]
        seconds, errors, profiles = np.zeros(2), {}, {}
        for phase in PHASES:
            before, now = in_turn(old / f"{phase}.cir", twin.decks[phase])
            seconds += before.seconds, now.seconds
            errors[phase] = [_l1(twin, phase, one.result.waveforms) for one in (before, now)]
        profiles["Lorenz96, macro, extrapolation"] = profile(twin.decks["extrapolation"])
        worst = max(now / before for before, now in errors.values())
        ratio = seconds[0] / seconds[1]
        told = ", ".join(f"L1 {phase} {now:.4f} ({before:.4f})" for phase, (before, now) in errors.items())
        yield Row(what="Lorenz96 6-64-64-6, macro, 48 time units", profiles=profiles,
                  measured=f"{ratio:.1f} times ({seconds[0]:.0f} s, {seconds[1]:.0f} s); {told}, circuit against torch",
                  must="4 times, L1 at most 2 % above that of before", aim="7 times", holds=ratio >= 4 and worst <= 1.02)


def compiling() -> Iterator[Row]:
    """6-h-h-6, weights as torch draws them; before is a recorded figure."""
    for hidden, before in RECORDED.items():
        seconds, _ = compile_seconds(hidden)
        yield _faster(f"compile 6-{hidden}-{hidden}-6 (before: recorded)", before, seconds, 10, 20)


def growth() -> Iterator[Row]:
    """How compiling grows with the width, and whether the largest still runs."""
    seconds = {hidden: compile_seconds(hidden)[0] for hidden in GROWTH if hidden != SIMULATED}
    run = measure(SIMULATED)
    slope = exponent([*seconds, run.hidden], [*seconds.values(), run.compile_seconds])
    memory = max(run.compile_memory, run.point_memory, run.transient_memory)
    yield Row(what=f"compile, hidden {', '.join(map(str, GROWTH))}: exponent over the width",
              measured=f"{slope:.2f}; {GROWTH[-1]} in {seconds[GROWTH[-1]]:.0f} s; at {run.hidden} with {run.arrays} arrays "
                       f"operating point {run.point_seconds:.0f} s, 0.1 time units {run.transient_seconds:.0f} s, "
                       f"{memory / 1e9:.1f} GB",
              must="exponent at most 2", aim="transient at 1024 in 24 GB", holds=slope <= 2,
              profiles={f"6-{run.hidden}-{run.hidden}-6, macro, 0.1 time units": run.transient})


def behavioural() -> Iterator[Row]:
    """The behavioural model on many boards; torchdiffeq's loop is the one of before."""
    torch.set_num_threads(1)
    one = benchmarks.behavioural.batch()
    yield Row(what="1000 HP boards, behavioural, after warm-up",
              measured=f"{one.of_library:.1f} times, {one.apart:.1e} of full scale from torchdiffeq's loop; "
                       f"{one.of_macro:.0f} times as fast as macro decks",
              must="3 times, 1e-09 of full scale", aim="5 times", holds=one.of_library >= 3 and one.apart <= 1e-9)
    yield Row(what="10 000 HP boards on 4 stimuli, behavioural", must="120 s", aim="120 s",
              measured=f"{one.many_seconds:.0f} s, {one.many_memory:.1f} GB", holds=one.many_seconds <= 120)
    apart = benchmarks.behavioural.accuracy()
    yield Row(what="HP twin, behavioural against flat", measured=f"{max(apart.values()):.1e} of full scale",
              must="1e-2 of full scale", aim="1e-3", holds=max(apart.values()) <= 1e-2, apart=apart)


def _compiled(experiment: Experiment, folder: Path, options: Options) -> Path:
    experiment.compile(folder, options)
    return folder / "sine.cir"


def _l1(twin: CompiledNetwork, phase: str, waveforms: Waveforms) -> float:
    """Mean error of the states against torch, model units."""
    case = twin.cases[phase]
    return float(np.abs(twin_states(waveforms, twin.manifest, case) - reference(twin.network, case)).mean())


def _faster(what: str, before: float, now: float, must: float, aim: float, error: float | None = None,
            profiles: dict[str, Profile] | None = None, from_what: str = "a tight run") -> Row:
    ratio = before / now
    told = "" if error is None else f", {error:.1e} of full scale from {from_what}"
    limit = "" if error is None else f", {TIGHT:g} of full scale"
    return Row(what=what, measured=f"{ratio:.3g} times ({before:.3g} s, {now:.3g} s){told}", must=f"{must:g} times{limit}",
               aim=f"{aim:g} times", holds=ratio >= must and (error is None or error <= TIGHT), profiles=profiles or {})
