"""Sampling: a device is driven with random inputs and recorded, many copies a deck, decks in parallel, resumable."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from circuits.dynamic.data_device import DataDevice
from circuits.dynamic.deck_device import COPIES, DeckDevice
from circuits.dynamic.device import Device, DeviceError
from circuits.dynamic.equation_device import EquationDevice
from circuits.engine.job import Job
from circuits.engine.ngspice import find_engine
from circuits.engine.pool import run_many
from circuits.engine.result import Result
from circuits.errors import SeveralFailed, SimulationError
from circuits.netlist.deck import write_files
from cosim.devices.frame import run_frame
from cosim.devices.plan import SamplingPlan
from cosim.errors import ResultsError
from cosim.store.files import check_writable, content_key, is_current, read_frame, write_frame
from cosim.store.sources import code_key, source_key

EQUATION_RUNS = 2000  # of an equation at once
RAILED = 0.5  # part of the rows at one and the same extreme value from which a device counts as railed
TIMEOUT = 900.0  # s a deck

Progress = Callable[[int, int], None]  # blocks done, blocks
Block = list[tuple[int, int]]  # (sequence, repeat) of the runs that are made together


def sample(device: Device, plan: SamplingPlan, out: Path, *, workers: int | None = None, force: bool = False,
           progress: Progress | None = None) -> bool:
    """Record a device into a Parquet file of the shared format.

    Every block of runs is stored beside the file as soon as it is there, so that a killed study goes on where it was.

    Args:
        progress: called after each block, and once at the start with what is there already.
    Returns:
        False where the file was current and nothing was done.
    Raises:
        DeviceError: the device holds data and cannot be driven, rails, or does not answer to its input.
        SimulationError, SeveralFailed: decks that failed; the blocks of the others have been stored.
        ResultsError: the file's place cannot be written.
    """
    if not isinstance(device, (DeckDevice, EquationDevice)):
        raise DeviceError(f"device {device.name} is of origin {device.origin!r} and cannot be driven; it holds its "
                          "recording, which write_data() writes")
    if out.suffix != ".parquet":
        raise ResultsError(f"{out}: recordings are Parquet; give a name that ends with .parquet")
    key = sampling_key(device, plan)
    if not force and is_current(out, key):
        return False
    store = out.with_name(f"{out.name}.parts")
    check_writable(out.parent)
    check_writable(store)
    size = COPIES if isinstance(device, DeckDevice) else EQUATION_RUNS
    blocks = [plan.runs[first : first + size] for first in range(0, len(plan.runs), size)]
    files = [store / f"{number:06d}.parquet" for number in range(len(blocks))]
    wanted = [number for number, file in enumerate(files) if force or not is_current(file, key)]
    done = len(blocks) - len(wanted)

    def keep(number: int, states: np.ndarray) -> None:
        nonlocal done
        inputs = np.stack([plan.inputs(device, sequence) for sequence, _ in blocks[number]])
        write_frame(files[number], run_frame(blocks[number], inputs, states[:, plan.pulse :]), key)
        done += 1
        if progress is not None:
            progress(done, len(blocks))

    if progress is not None:
        progress(done, len(blocks))
    run = _run_decks if isinstance(device, DeckDevice) else _run_equation
    run(device, plan, {number: blocks[number] for number in wanted}, keep, workers)
    frame = pd.concat([read_frame(file) for file in files], ignore_index=True)
    _check(device, frame)
    write_frame(out, frame, key, device=device.name, origin=device.origin, step_time=device.step_time, seed=plan.seed,
                input_range=list(device.input_range), units=device.output_units, rested=True, provenance=facts(device, plan))
    shutil.rmtree(store)
    return True


def write_data(device: DataDevice, out: Path) -> None:
    """Write what a file of measurements holds into a Parquet file of the shared format.

    Raises:
        ResultsError: the file cannot be written.
    """
    sequences, repeats = device.states.shape[:2]
    runs = [(sequence, repeat) for sequence in range(sequences) for repeat in range(repeats)]
    frame = run_frame(runs, np.repeat(device.inputs, repeats, axis=0), device.states.reshape(-1, *device.states.shape[2:]))
    write_frame(out, frame, content_key([frame.to_csv()]), device=device.name, origin=device.origin, step_time=device.step_time,
                seed=None, input_range=list(device.input_range), units=device.output_units, rested=False,
                provenance=device.facts())


def sampling_key(device: DeckDevice | EquationDevice, plan: SamplingPlan) -> str:
    """Identity of everything that a recording depends on: circuit or equation, noise, plan, our code and the engine.

    A circuit counts by the text of its deck, and an equation by its code and by what it answers.
    """
    words = [str(sorted(asdict(plan).items())), str(sorted(device.facts().items())), repr(device.input_range),
             repr(device.step_time), source_key("cosim.devices.sampling")]
    if isinstance(device, DeckDevice):
        deck = device.deck(*_drive(device, plan, plan.runs[:1]))
        words += [part for item in sorted(deck.files().items()) for part in item]
        words.append(f"ngspice {find_engine().version}")
    else:
        words += [code_key(device.slope), code_key(device.observe), repr((device.substeps, device.rest_steps, device.n_states)),
                  device.respond(*_drive(device, plan, plan.runs[:2])).tobytes()]  # figures that a function has enclosed
    return content_key(words)


def facts(device: Device, plan: SamplingPlan) -> dict[str, str]:
    """Provenance of a recording."""
    low, high = device.input_range
    engine = {"engine": f"ngspice {find_engine().version}"} if isinstance(device, DeckDevice) else {"engine": "numpy"}
    return {**device.facts(), **engine,
            "inputs": f"uniform over [{low:g}, {high:g}] {device.input_units}; sequences of even number new at every step, "
                      "of odd number held for 1 to 8 steps",
            "start": f"{plan.pulse} steps at {high:g} {device.input_units}, with noise, before every sequence"}


def _drive(device: Device, plan: SamplingPlan, block: Block) -> tuple[np.ndarray, np.ndarray | None]:
    """Inputs behind the pulse and noise of a block's runs."""
    inputs = np.stack([plan.driven(device, sequence) for sequence, _ in block])
    return inputs, device.draw(inputs.shape[1], [plan.generator(*run) for run in block])


def _run_equation(device: EquationDevice, plan: SamplingPlan, blocks: dict[int, Block],
                  keep: Callable[[int, np.ndarray], None], workers: int | None) -> None:
    for number, block in blocks.items():
        keep(number, device.respond(*_drive(device, plan, block)))


def _run_decks(device: DeckDevice, plan: SamplingPlan, blocks: dict[int, Block],
               keep: Callable[[int, np.ndarray], None], workers: int | None) -> None:
    numbers = list(blocks)
    steps = plan.pulse + plan.length
    with tempfile.TemporaryDirectory(prefix="cosim-sampling-") as place:
        folders = [Path(place) / str(number) for number in numbers]

        def write(job: int) -> None:  # in the job's thread, when its turn comes, so that not all lie on the disk at once
            write_files(folders[job], device.deck(*_drive(device, plan, blocks[numbers[job]])).files())

        def store(job: int, result: Result) -> None:
            keep(numbers[job], device.observed(result, len(blocks[numbers[job]]), steps))
            shutil.rmtree(folders[job])

        outcomes = run_many([Job(deck=folder / f"{device.name}.cir", timeout=TIMEOUT) for folder in folders], workers,
                            on_start=write, on_result=store)
    failures = [outcome for outcome in outcomes if isinstance(outcome, SimulationError)]
    if len(failures) > 1:
        raise SeveralFailed(failures)
    if failures:
        raise failures[0]


def _check(device: Device, frame: pd.DataFrame) -> None:
    """Refuse a recording of a device that does not answer."""
    units = f" {device.output_units}" if device.output_units else ""
    for name in _observables(frame):
        values = frame[name].to_numpy()
        low, high = values.min(), values.max()
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            raise DeviceError(f"device {device.name}: observable {name} is {low:g}{units} in every row; "
                              "connect its input, or widen its input range")
        for limit in (low, high):
            share = np.mean(np.abs(values - limit) <= 1e-6 * (high - low))
            if share >= RAILED:
                raise DeviceError(f"device {device.name}: observable {name} stands at {limit:g}{units} in "
                                  f"{share:.0%} of the rows, so it rails; narrow its input range "
                                  f"[{device.input_range[0]:g}, {device.input_range[1]:g}] {device.input_units}")


def _observables(frame: pd.DataFrame) -> Sequence[str]:
    return [name for name in frame.columns if name[0] == "x" and name[1:].isdigit()]
