"""A compiled twin's folder: decks, conductances, weights, manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from circuits.netlist.deck import write_files
from circuits.netlist.folder_lock import only_writer
from cosim.compiler.clipping import check_clipping
from cosim.compiler.compiled_twin import CompiledTwin
from cosim.console import Progress
from cosim.errors import ResultsError
from cosim.folder.case_fields import case_records
from cosim.folder.decks import case_deck, conductance_file, plan_of
from cosim.folder.manifest import CALL, CALL_CONSTANTS, MANIFEST_NAME, manifest_text, read_manifest
from cosim.folder.signals import SIGNALS
from cosim.problem.case import Case
from cosim.problem.reference import reference
from training.checkpoint import encode

WEIGHTS = "weights.npz"


def write_twin(twin: CompiledTwin, cases: Sequence[Case], folder: Path, subject: str,
               progress: Progress | None = None, *, truths: Mapping[str, np.ndarray] | None = None) -> list[Path]:
    """Write the folder; every run with the same inputs writes the same bytes.

    Every case is checked against the stages' linear ranges first, so nothing is written for a run that would clip.

    Args:
        twin: what the compiler made.
        cases: one deck each.
        folder: made if missing; decks of cases that are no longer wanted are removed, with their signals.
        subject: what is being solved, for titles.
        progress: called with ("writing decks", part done).
        truths: case -> what the system really does, (samples, n_states) model units on the case's grid; None: not known.
    Returns:
        Paths of the decks.
    Raises:
        ClippingError: a case would drive a stage out of its linear range.
        ResultsError: the folder cannot be written.
    """
    files: dict[str, str | bytes] = {}
    plan = plan_of(twin, subject)
    for number, case in enumerate(cases):
        if progress is not None:
            progress("writing decks", number / len(cases))
        states = reference(twin.network, case)
        fine = case.fine_times  # a stimulus faster than the comparison grid would hide its peaks between the samples
        between = np.stack([np.interp(fine, case.times, column) for column in states.T], axis=1)
        check_clipping(twin.network, twin.scales, case.inputs(fine), between, fine, f"case {case.name}",
                       two_stage=twin.options.neuron == "two_stage")
        files |= case_deck(plan, case, states).files()
    files |= {f"conductances/{one.tile.name}.inc": conductance_file(layer, one) for layer in twin.layers for one in layer.tiles}
    files[WEIGHTS] = encode(twin.network.module, {"subject": subject})
    if twin.network.as_called is not None:
        files[CALL], files[CALL_CONSTANTS] = twin.network.as_called.encode()
    records = case_records(cases, truths or {})
    files |= records.files
    files[MANIFEST_NAME] = manifest_text(twin, records.cases, subject, WEIGHTS)
    folder = Path(folder)
    try:
        with only_writer(folder):  # two at once would leave a board of both
            stale = _files_before(folder) - set(files)
            write_files(folder, files)
            for name in stale:
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(f"cannot write decks to {folder}: {error.strerror or error}; free space or name another "
                           "folder") from error
    if progress is not None:
        progress("writing decks", 1.0)
    return [folder / f"{case.name}.cir" for case in cases]


def _files_before(folder: Path) -> set[str]:
    """Decks that are in the folder, their signals and their truth."""
    try:
        manifest = read_manifest(folder) if (folder / MANIFEST_NAME).is_file() else None
    except ResultsError:  # damaged: its message says to compile again, so that must work; we replace it
        manifest = None
    if manifest is None:
        return set()
    sources = [path for name in manifest.cases for path in folder.glob(f"{SIGNALS}/{name}_u*.inc")]
    return {*(f"{name}.cir" for name in manifest.cases), *manifest.array_files,
            *(path.relative_to(folder).as_posix() for path in sources)}
