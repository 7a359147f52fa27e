"""Stored runs of compiled folders, wherever our own commands put them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from circuits.engine.rawfile import read_raw
from circuits.engine.waveforms import Waveforms
from circuits.errors import SimulationError
from cosim.behavioural.simulation import folder_key
from cosim.errors import ResultsError
from cosim.folder.compiled import CompiledNetwork, load
from cosim.folder.manifest import MANIFEST_NAME
from cosim.simulation.decks import NGSPICE, VACASK, Engine, deck_keys, default_folder, frame_to_waveforms
from cosim.store.files import read_frame

DEPTH = 3  # folders below the one that is named, in which compiled folders are looked for


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredRun:
    """One case of a compiled folder and the waveforms that were simulated of it."""

    board: str  # name of the compiled folder below the one that was named; "": it is the only one
    compiled: CompiledNetwork
    case: str
    path: Path
    waveforms: Waveforms

    @property
    def label(self) -> str:
        """E.g. "current sine", or the case alone where there is one board."""
        return f"{self.board} {self.case}".strip()

    @property
    def engine(self) -> str:
        """What simulated it, with its version, e.g. "ngspice 46".

        Raises:
            ResultsError: the deck has changed since, so that it cannot be told.
        """
        if self.path.suffix == ".raw":
            return "a simulation of your own, a raw file"
        deck = self.compiled.folder / f"{self.case}.cir"
        engine = _keys(self.compiled.folder, deck)[0].get(read_frame(self.path).attrs.get("key"))
        if engine is None:
            raise ResultsError(f"{self.path} was not simulated from {deck} as it is now; run `cosim simulate` again")
        return engine


def stored_runs(target: Path, waveforms: Path | None = None) -> tuple[list[StoredRun], list[str]]:
    """Every simulated case of a compiled folder, or of the compiled folders below a results folder.

    Args:
        target: a compiled folder, or a folder that one of our commands made, e.g. runs/hp_memristor.
        waveforms: folder with ``<case>.parquet`` or ``<case>.raw`` of a compiled folder; None: where our commands put them.
    Returns:
        The runs, and the labels of cases that were compiled but not simulated; of a single compiled folder that is an error.
    Raises:
        ResultsError: nothing compiled or nothing simulated there, waveforms of other decks, or a run of an engine that is not
            here, whose decks therefore cannot be told.
    """
    folders = list(compiled_folders(target))
    if not folders:
        raise ResultsError(f"{target / MANIFEST_NAME} does not exist; make the folder with `cosim compile`, or name the "
                           "results folder of a study, below which there are such folders")
    if waveforms is not None and len(folders) > 1:
        raise ResultsError(f"{target} holds {len(folders)} compiled folders; --waveforms belongs to one, so name that one")
    runs, missing = [], []
    for folder in folders:
        compiled = load(folder)
        board = _board_name(target, folder) if len(folders) > 1 else ""
        for case in compiled.cases:
            stored = find_run(compiled, case, waveforms)
            if stored is None:
                missing.append(f"{board} {case}".strip())
                continue
            path, waves = stored
            runs.append(StoredRun(board=board, compiled=compiled, case=case, path=path, waveforms=waves))
    if missing and (not runs or len(folders) == 1):
        places = [waveforms] if waveforms else _places(folders[0])
        files = ", ".join(f"{case}.parquet nor {case}.raw" for case in missing)
        raise ResultsError(f"neither {files} in {', '.join(map(str, places))}; run `cosim simulate` first, or name the folder "
                           "with --waveforms")
    return runs, missing


def compiled_folders(target: Path) -> Iterator[Path]:
    """The folder itself where it is a compiled one, else those below it, sorted."""
    if not target.is_dir():
        raise ResultsError(f"{target} is not a folder; name one made by `cosim compile`, or the results folder of a study")
    if (target / MANIFEST_NAME).is_file():
        yield target
        return
    for depth in range(1, DEPTH + 1):
        yield from sorted(path.parent for path in target.glob("/".join(["*"] * depth + [MANIFEST_NAME])))


def find_run(compiled: CompiledNetwork, case: str, waveforms: Path | None = None) -> tuple[Path, Waveforms] | None:
    """File and waveforms of a case, the first that were simulated from its deck as it is now; None: it was not simulated.

    Args:
        waveforms: as for :func:`stored_runs`.
    Raises:
        ResultsError: there are files, and each is of another deck, or damaged; tells the first.
    """
    failed = None
    for path in _candidates(compiled.folder, case, waveforms):
        try:
            return path, read_run(compiled, case, path)
        except ResultsError as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return None


def read_run(compiled: CompiledNetwork, case: str, path: Path) -> Waveforms:
    """Waveforms of a case from a Parquet file of ours, or from the raw file of a designer's own run.

    Raises:
        ResultsError: they were simulated from another deck than the folder holds, or whether they were cannot be told.
    """
    if path.suffix == ".raw":
        return read_raw(path)[0]
    frame, deck = read_frame(path), compiled.folder / f"{case}.cir"
    keys, missing = _keys(compiled.folder, deck)
    if frame.attrs.get("key") not in keys:
        if NGSPICE in missing:
            raise ResultsError(f"{path}: whether it was simulated from {deck} as it is now cannot be told without the "
                               f"ngspice that did it; {missing[NGSPICE].message}")
        raise ResultsError(f"{path} was not simulated from {deck} as it is now; run `cosim simulate` again")
    return frame_to_waveforms(frame)


def _board_name(target: Path, folder: Path) -> str:
    """Of a compiled folder in words, without the folders that only say what lies in them."""
    return " ".join(part for part in folder.relative_to(target).parts if part != "decks") or folder.name


def _candidates(folder: Path, case: str, waveforms: Path | None) -> list[Path]:
    """Files that are there under the names that our commands give them."""
    places = [waveforms] if waveforms else _places(folder)
    files = [place / f"{case}.{kind}" for place in places for kind in ("parquet", "raw")]
    if waveforms is None:  # studies of several boards keep all their waveforms in one folder
        shared = folder.parent.parent / "vectors"
        files += [shared / f"{folder.name}_{case}.parquet", shared / f"{folder.name}.parquet"]
    return [file for file in files if file.is_file()]


def _places(folder: Path) -> list[Path]:
    """Where our commands put the waveforms of a compiled folder, ``<case>.parquet`` each."""
    beside = [folder.parent / "vectors"] if folder.name == "decks" else []
    return [folder / "vectors", *beside, default_folder(folder), folder]


def _keys(folder: Path, deck: Path) -> tuple[dict[str, str], dict[Engine, SimulationError]]:
    """What a result of a deck may be marked with, and the name of what marks it so: the engines that are here and the
    behavioural model; and the engines that are not here."""
    keys, missing = {folder_key(folder): "the behavioural model, in torch"}, {}
    for engine in (NGSPICE, VACASK):
        try:
            version = engine.version()
        except SimulationError as error:
            missing[engine] = error
            continue
        keys |= dict.fromkeys(deck_keys(deck, engine), version)
    return keys, missing
