"""The README's two pictures: the board, and the HP twin's state over torch. `make pictures` draws them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from cosim.compiler.options import Options
from cosim.front_door import compare, compile_network, simulate
from cosim.report.board_picture import board_picture
from cosim.report.state_curves import state_curves
from cosim.report.style import save
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths

SHOWN = ("sine", "rectangular")


def main(folder: Path) -> None:
    """Compile the committed network, simulate its reduced decks in ngspice, draw."""
    with tempfile.TemporaryDirectory() as scratch:
        experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
        compiled = compile_network(experiment, scratch, Options(fidelity="macro"))
        comparison = compare(simulate(compiled))
        arrays = compiled.conductances()
        save(board_picture(compiled.board, [arrays[layer.tiles[0].name] for layer in compiled.board.layers]),
             folder / "board.png")
        cases = {case.label: (case.times, {"reference": case.reference, "twin": case.twin}) for case in comparison.cases
                 if case.label in SHOWN}
        save(state_curves(cases), folder / "overlay.png")
    print(f"{folder / 'board.png'}\n{folder / 'overlay.png'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"))
