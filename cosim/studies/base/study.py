"""A study of one network: compiled, simulated, compared, reported and held against its limits."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from circuits.errors import CircuitError
from cosim.comparison.comparison import Comparison
from cosim.comparison.gate import Gate
from cosim.comparison.stored_runs import StoredRun
from cosim.compiler.options import Options
from cosim.console import Console
from cosim.errors import CosimError
from cosim.experiment import Experiment
from cosim.folder.compiled import CompiledNetwork
from cosim.simulation.decks import frame_to_waveforms
from cosim.simulation.engine import require_engine
from cosim.store.files import read_frame
from cosim.studies.base.board import StudyBoard
from cosim.studies.base.case_rows import case_rows, stored_comparison
from cosim.studies.base.drawing import Sections, ensure_page
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.base.results import Results
from training.errors import TrainingError


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """What is studied and what it must keep; :meth:`run` and :meth:`main` do the rest.

        study = Study(name="pendulum", experiment=experiment, options=Options(fidelity="macro"), gate=Gate(max_error=0.01))
        if __name__ == "__main__":
            raise SystemExit(study.main())
    """

    name: str  # of its board, and of its results folder below runs/
    experiment: Callable[[], Experiment]
    options: Options = field(default_factory=Options)
    gate: Gate = field(default_factory=Gate)
    sections: Sections | None = None  # of the report; None: the standard ones

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+", self.name):
            raise CosimError(f"study {self.name!r}: its name names files; use lower-case letters, digits and underscores")

    def run(self, out: str | Path | None = None, *, workers: int = 2, force: bool = False, quiet: bool = False) -> Comparison:
        """Every step; what is finished is not done again.

        Args:
            out: results folder; None: runs/<name>.
            workers: simulations at a time.
            force: simulate, compare and draw again what is current.
            quiet: print results only.
        Raises:
            GateError: a limit is exceeded; table, metrics.json and report are there.
            CosimError, CircuitError, TrainingError: as the steps.
        """
        require_engine()
        results = Results(root=Path(out or Path("runs") / self.name))
        pipeline = Pipeline(results=results, console=Console(quiet=quiet), workers=workers, force=force)
        compiled = pipeline.compile([StudyBoard(name=self.name, experiment=self.experiment, options=self.options)])
        pipeline.simulate(compiled, [(self.name, case) for case in compiled[self.name].cases])
        comparison = self._compare(pipeline, compiled[self.name])
        self.gate.write(results.metrics, comparison)
        ensure_page(pipeline, results.report, [case.run for case in comparison.cases], lambda: comparison, gate=self.gate,
                    sections=self.sections)
        Console().table(comparison.table(), f"{comparison.subject}: circuit against torch, model units")
        print(f"report: {results.report}")
        self.gate.check(comparison)
        return comparison

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """The study as a program: options from the command line, one message on what went wrong; returns the exit code."""
        parser = argparse.ArgumentParser(description=f"The study {self.name}, end to end; finished steps are not done again.")
        parser.add_argument("--out", type=Path, default=Path("runs") / self.name, help="results folder (default: %(default)s)")
        parser.add_argument("--workers", type=int, default=2, help="simulations at a time (default: %(default)s)")
        parser.add_argument("--force", action="store_true", help="simulate, compare and draw again what is current")
        parser.add_argument("--quiet", "-q", action="store_true", help="print results only")
        try:
            self.run(**vars(parser.parse_args(arguments)))
        except (CosimError, CircuitError, TrainingError) as error:
            print(f"{self.name}: {error}", file=sys.stderr)
            return 1
        return 0

    def _compare(self, pipeline: Pipeline, compiled: CompiledNetwork) -> Comparison:
        cases = []
        for case in compiled.cases:
            path = pipeline.results.vectors(self.name, case)
            vectors = read_frame(path)
            run = StoredRun(board="", compiled=compiled, case=case, path=path, waveforms=frame_to_waveforms(vectors))
            name = f"{self.name}_{case}"
            inputs = [vectors.attrs["key"], compiled.manifest.text, compiled.network.identity]
            (row,) = pipeline.compare(name, inputs, case_rows.__module__, lambda run=run: case_rows(run))
            cases.append(stored_comparison(run, read_frame(pipeline.results.waveforms(name)), row))
        return Comparison(cases=tuple(cases))
