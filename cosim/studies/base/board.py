"""A board of a study, compiled once: nothing is computed when its folder was made from the same inputs and code."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from cosim.compiler.options import Options
from cosim.console import Console
from cosim.errors import CosimError, CosimWarning
from cosim.experiment import Experiment
from cosim.folder.compiled import CompiledNetwork, load
from cosim.folder.manifest import MANIFEST_NAME
from cosim.store.files import content_key, is_text_current, write_text_key
from cosim.store.identity import identity
from cosim.store.sources import source_key

READ = ("model", "truth")  # fields of an experiment that count with what is read from them
COMPILED = (".cir", ".inc", ".lib", ".npz", ".json")  # suffixes of what the compiler writes


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyBoard:
    """One network on a board of its own.

    Where ``inputs`` are given, they and the code tell whether the board is current, and the experiment is only made when it
    is not. Where they are not, it is made and looked at.
    """

    name: str  # of its folder, e.g. "current"
    experiment: Callable[[], Experiment]
    options: Options = field(default_factory=Options)
    inputs: tuple[bytes | str, ...] = ()  # all that experiment() depends on beside code, e.g. the bytes of a checkpoint
    code: str = "cosim.experiment"  # module that experiment() runs


def ensure_compiled(board: StudyBoard, folder: Path, console: Console) -> CompiledNetwork:
    """Compile a board, unless its folder is current; unchanged decks are left alone, and so are their results.

    Raises:
        CosimError, circuits.errors.CircuitError: as :meth:`cosim.experiment.Experiment.compile`.
    """
    experiment = None if board.inputs else board.experiment()
    key = compile_key(board, experiment)
    if key is None or not is_text_current(folder / MANIFEST_NAME, content_key([key, *_contents(folder)])):
        console.say(f"compiling {board.name}: {folder}")
        with console.bars() as bars, warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always", CosimWarning)
            experiment = experiment or board.experiment()
            if board.inputs and experiment.fit is not None:
                raise CosimError(f"board {board.name}: a fitted network is known by its experiment; leave out "
                                 "StudyBoard.inputs")
            experiment.compile(folder, board.options, bars)
        for note in notes:
            if issubclass(note.category, CosimWarning):
                console.say(f"note: {note.message}")
            else:
                warnings.warn_explicit(note.message, note.category, note.filename, note.lineno)
        if key is not None:
            write_text_key(folder / MANIFEST_NAME, content_key([key, *_contents(folder)]))
    return load(folder)


def compile_key(board: StudyBoard, experiment: Experiment | None = None) -> str | None:
    """Identity of what a board is compiled from, and of the code that does it; None where it cannot be told.

    Args:
        experiment: of a board without ``inputs``.
    """
    asked = ["cosim.diagnosis.trim"] if board.options.trim else []
    asked += ["cosim.diagnosis.correction"] if experiment is not None and experiment.fit is not None else []
    code = source_key(board.code, __name__, *asked)
    if experiment is None:
        return content_key([*board.inputs, identity(board.options), code])
    try:
        described = [identity(getattr(experiment, part.name)) for part in fields(experiment) if part.name not in READ]
        described.append(identity(experiment.truths))
        return content_key([experiment.read().identity, *described, identity(board.options), code])
    except TypeError:  # e.g. a case of the user's own class, which his code may change without a trace
        return None


def _contents(folder: Path) -> Iterator[str | bytes]:
    files = (path for path in folder.rglob("*") if path.suffix in COMPILED and path.is_file() and path.name[0] != ".")
    for path in sorted(files):
        yield path.relative_to(folder).as_posix()
        yield path.read_bytes()
