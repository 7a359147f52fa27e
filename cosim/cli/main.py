"""The `cosim` command."""

from __future__ import annotations

import atexit
import gc
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from circuits.errors import CircuitError, printable
from cosim.cli.device import device
from cosim.cli.interrupt import Commands, ended, terminate
from cosim.cli.options import Quiet, Workers
from cosim.errors import CosimError
from training.errors import TrainingError

app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["--help", "-h"]},
                  help="Compile a torch neural ODE into SPICE decks of an analogue memristor computer, simulate them and "
                       "compare the waveforms.")
app.add_typer(device, name="device")

Folder = Annotated[Path, typer.Argument(help="Folder of decks, made by `cosim compile`.")]
Docs = Annotated[Path | None, typer.Option(help="Write the tables to this Markdown file too, as in docs/results.")]
HP_RUNS = Path("runs/hp_memristor")
HORIZON_RUNS = Path("runs/lorenz96_horizon")
LORENZ96_RUNS = Path("runs/lorenz96")


@app.command("hp-memristor")
def hp_memristor(
    out: Annotated[Path, typer.Option(help="Results folder.")] = HP_RUNS,
    fidelity: Annotated[str, typer.Option(help="flat: every cell and wire. macro: each array reduced to what is between its "
                                               "pins, many times faster.")] = "flat",
    workers: Workers = 2,
    force: Annotated[bool, typer.Option(help="Simulate again what is there already.")] = False,
    second_opinion: Annotated[bool, typer.Option(help="Run the decks, arrays reduced, on VACASK too, where it is "
                                                      "installed.")] = True,
    quiet: Quiet = False,
    docs: Docs = None,
) -> None:
    """The HP memristor twin, end to end: train if needed, compile, simulate, compare, cross-check, report."""
    from cosim.cli.commands.hp_memristor import run

    run(out, fidelity=fidelity, workers=workers, force=force, with_second_opinion=second_opinion, quiet=quiet, docs=docs)


@app.command("hp-programming")
def hp_programming(
    out: Annotated[Path, typer.Option(help="Results folder.")] = HP_RUNS,
    seeds: Annotated[int, typer.Option(min=1, help="Programmed boards.")] = 20,
    drive: Annotated[str, typer.Option(help="current or voltage.")] = "current",
    fidelity: Annotated[str, typer.Option(help="macro; flat-trimmed: every cell but those that are off, several times "
                                               "slower; behavioural: the torch model, all boards at once.")] = "macro",
    workers: Workers = 2,
    quiet: Quiet = False,
    docs: Docs = None,
) -> None:
    """Program the HP twin's arrays with the published error and 64 levels, many seeds; resumes where it was stopped."""
    from cosim.cli.commands.hp_programming import run

    run(out, seeds=seeds, drive=drive, fidelity=fidelity, workers=workers, quiet=quiet, docs=docs)


@app.command("lorenz96")
def lorenz96(
    out: Annotated[Path, typer.Option(help="Results folder.")] = LORENZ96_RUNS,
    seeds: Annotated[int, typer.Option(min=1, help="Networks of F = 6; F = 8 has one.")] = 3,
    quick: Annotated[bool, typer.Option("--quick", help="The reference seed only.")] = False,
    time_scale: Annotated[float, typer.Option(help="Circuit seconds per time unit; faster than 1e-2 costs accuracy.")] = 1e-2,
    workers: Workers = 2,
    force: Annotated[bool, typer.Option(help="Simulate again what is there already.")] = False,
    quiet: Quiet = False,
    docs: Docs = None,
) -> None:
    """The Lorenz96 twin, end to end: train if needed, compile, trim, simulate, compare, report."""
    from cosim.cli.commands.lorenz96 import run

    run(out, seeds=1 if quick else seeds, time_scale=time_scale, workers=workers, force=force, quiet=quiet,
        docs=docs)


@app.command("lorenz96-horizon")
def lorenz96_horizon(
    out: Annotated[Path, typer.Option(help="Results folder.")] = HORIZON_RUNS,
    starts: Annotated[int, typer.Option(min=1, help="Starts in the extrapolation span; the median is over them.")] = 10,
    time_scale: Annotated[float, typer.Option(help="Circuit seconds per time unit; faster costs accuracy.")] = 1.0,
    fidelity: Annotated[str, typer.Option(help="macro: ngspice, half an hour; behavioural: the torch model, all starts at "
                                               "once, some minutes.")] = "macro",
    workers: Workers = 2,
    force: Annotated[bool, typer.Option(help="Simulate again what is there already.")] = False,
    quiet: Quiet = False,
    docs: Docs = None,
) -> None:
    """How far the chaotic Lorenz96 twin is predicted, in torch and in the circuit: the median over many starts."""
    from cosim.cli.commands.lorenz96_horizon import run

    run(out, starts=starts, time_scale=time_scale, fidelity=fidelity, workers=workers, force=force, quiet=quiet, docs=docs)


@app.command()
def train(
    drive: Annotated[str, typer.Argument(help="HP memristor drive: current or voltage.")],
    force: Annotated[bool, typer.Option(help="Train again where a checkpoint is there already.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of weights and windows.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the checkpoints; default: the package's own.")] = None,
    quiet: Quiet = False,
) -> None:
    """Train the neural ODE of the HP memristor and its ResNet baseline."""
    from cosim.cli.commands.train import run

    run(drive, force=force, seed=seed, out=out, quiet=quiet)


@app.command("compile")
def compile_(
    source: Annotated[Path, typer.Argument(help="Checkpoint (.npz) of the HP memristor, or a Python file whose function "
                                                "experiment() returns a cosim.experiment.Experiment.")],
    out: Annotated[Path, typer.Option(help="Folder for the decks.")],
    levels: Annotated[int | None, typer.Option(help="Programmable levels of a memristor; default: analogue.")] = None,
    error: Annotated[float, typer.Option(help="Mean relative programming error, e.g. 0.022.")] = 0.0,
    cell_yield: Annotated[float, typer.Option("--yield", help="Part of the cells that can be programmed.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of programming error and yield.")] = 0,
    fidelity: Annotated[str, typer.Option(help="flat: every cell and wire. macro: each array reduced to what is between its "
                                               "pins, many times faster.")] = "flat",
    time_scale: Annotated[str, typer.Option(help="Circuit seconds per model second; auto: as fast as the amplifiers "
                                                 "allow, printed with its reason.")] = "1",
    solver: Annotated[str, typer.Option(help="accurate: steps follow the truncation error. stepped: only the largest "
                                             "step limits them, which is faster; `cosim convergence` says whether it "
                                             "is as close.")] = "accurate",
    max_step: Annotated[float, typer.Option(min=0, help="Largest solver step, model seconds; 0: 1/2000 of the run.")] = 0.0,
    fit: Annotated[bool, typer.Option("--fit", help="A network that is not piecewise linear (tanh, SiLU, products) is replaced "
                                                    "by a ReLU network; widths and error are printed.")] = False,
    fit_error: Annotated[str | None, typer.Option(help="The same, with the error that the ReLU network may have, e.g. 1%; "
                                                       "default 0.5%.")] = None,
    trim: Annotated[bool, typer.Option("--trim", help="Take what the nominal board does wrong at the calibration samples out "
                                                      "of the programmed weights, and its lag by a capacitor.")] = False,
    quiet: Quiet = False,
) -> None:
    """Compile a network into a folder of decks."""
    from cosim.cli.commands.compile import run

    run(source, out, levels=levels, error=error, cell_yield=cell_yield, seed=seed, fidelity=fidelity, time_scale=time_scale,
        solver=solver, max_step=max_step, fit=fit, fit_error=fit_error, trim=trim, quiet=quiet)


@app.command()
def simulate(
    target: Annotated[Path, typer.Argument(help="A deck (.cir, .sp, .net, .ckt, ...), or a folder of decks.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the waveforms; default runs/<folder's name>/vectors.")] = None,
    plot: Annotated[str | None, typer.Option(help="Which plot of a deck with several the main result holds: tran, ac, dc, op, "
                                                  "noise, tf, pz, four, ... (tran2 for the second of a kind). The others are "
                                                  "kept beside it. Default: the transient, else ac, dc, ...")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV beside the Parquet files.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Keep ngspice's own raw file too.")] = False,
    fidelity: Annotated[str | None, typer.Option(help="behavioural: the torch model of the board, for a compiled folder, "
                                                      "without ngspice; default: the decks as they are.")] = None,
    workers: Workers = 2,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a deck may take.")] = 900.0,
    force: Annotated[bool, typer.Option(help="Simulate again what is there already.")] = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a deck, or every deck of a folder, and write its waveforms (Parquet).

    Exit code 1 when a measure failed."""
    from cosim.cli.commands.simulate import run

    run(target, out=out, fidelity=fidelity, workers=workers, timeout=timeout, force=force, quiet=quiet, plot=plot, csv=csv,
        raw=raw)


@app.command()
def compare(
    folder: Annotated[Path, typer.Argument(help="Folder made by `cosim compile`, or the results folder of a study, e.g. "
                                                "runs/hp_memristor.")],
    waveforms: Annotated[Path | None, typer.Option(help="Folder of the simulated waveforms, .parquet or .raw; default "
                                                        "where our commands put them.")] = None,
    max_mre: Annotated[str | None, typer.Option(help="Largest mean relative error that any state may have, e.g. 0.5%.")] = None,
    max_error: Annotated[str | None, typer.Option(help="Largest error that any state may have, as a part of its full scale, "
                                                       "e.g. 1%.")] = None,
    allow_clamp_hits: Annotated[bool, typer.Option("--allow-clamp-hits", help="Lines that leave their linear range are told, "
                                                                              "but are no failure.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write numeric rows, limits and verdict to this file.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Say too how long the board is valid, whether the system itself amplifies, "
                                                    "what errs on the board and what to change; seconds a case.")] = False,
) -> None:
    """Compare simulated waveforms with the torch network that the decks were compiled from.

    Exit code 1 when a limit is exceeded, which names the case, or when a line left its linear range."""
    from cosim.cli.commands.compare import run

    run(folder, waveforms=waveforms, max_mre=max_mre, max_error=max_error, allow_clamp_hits=allow_clamp_hits, json=json,
        why=why)


@app.command("second-opinion")
def second_opinion(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="Results folder; default runs/<folder's name>.")] = None,
    workers: Workers = 2,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a deck may take.")] = 900.0,
    force: Annotated[bool, typer.Option(help="Simulate again what is there already.")] = False,
    quiet: Quiet = False,
    docs: Docs = None,
) -> None:
    """Simulate a folder of compiled decks on ngspice and on VACASK, and say how far apart they are."""
    from cosim.cli.commands.second_opinion import run

    run(folder, out=out, workers=workers, timeout=timeout, force=force, quiet=quiet, docs=docs)


@app.command()
def convergence(
    decks: Annotated[list[Path], typer.Argument(help="Decks (.cir) of folders made by `cosim compile`.")],
    out: Annotated[Path | None, typer.Option(help="Results folder, with a folder per deck below it; default runs/<folder's "
                                                  "name>/convergence.")] = None,
    factor: Annotated[float, typer.Option(help="By which tolerances and largest step are tightened.")] = 10.0,
    workers: Workers = 2,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a run may take.")] = 3600.0,
    quiet: Quiet = False,
    docs: Docs = None,
) -> None:
    """The solver's share of the waveform error of decks: tolerances and step tightened, trapezoidal against Gear.

    It also says which solver of `cosim compile --solver` takes the fewest steps and is accurate enough."""
    from cosim.cli.commands.convergence import run

    run(decks, out=out, factor=factor, workers=workers, timeout=timeout, quiet=quiet, docs=docs)


@app.command()
def corners(
    source: Annotated[Path | None, typer.Argument(help="Folder made by `cosim compile`, checkpoint (.npz) or Python file; "
                                                       "default: the HP twin, current drive.")] = None,
    corner: Annotated[list[str] | None, typer.Option(help="One of circuits.corners, beside the nominal board; give it "
                                                          "several times for several. Default: all.")] = None,
    fidelity: Annotated[str | None, typer.Option(help="What a checkpoint or file is compiled to: macro (default), flat-trimmed "
                                                       "or flat.")] = None,
    out: Annotated[Path | None, typer.Option(help="Results; default runs/hp_corners, or runs/<source's name>/corners.")] = None,
    workers: Workers = 2,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds a deck may take.")] = 900.0,
    force: Annotated[bool, typer.Option(help="Simulate again what is there already.")] = False,
    quiet: Quiet = False,
    docs: Docs = None,
) -> None:
    """A twin at every corner (temperature, supplies, offset, diodes, transistors, wires): error, stated bound, verdict, cause.

    Exit code 1 when a corner exceeds its bound, clips or does not converge."""
    from cosim.cli.commands.corners import run

    run(source, corners=corner or [], fidelity=fidelity, out=out, workers=workers, timeout=timeout, force=force, quiet=quiet,
        docs=docs)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder made by `cosim compile` and simulated, or the results folder of a "
                                                "study.")] = HP_RUNS,
    waveforms: Annotated[Path | None, typer.Option(help="Folder of the simulated waveforms, .parquet or .raw; default "
                                                        "where our commands put them.")] = None,
    out: Annotated[Path | None, typer.Option(help="The page; default report.html in the folder.")] = None,
    force: Annotated[bool, typer.Option(help="Draw the page even where it is current.")] = False,
) -> None:
    """Compare what was simulated and write one HTML page: errors, waveforms, neurons, conductances, what was compiled."""
    from cosim.cli.commands.report import run

    run(folder, waveforms=waveforms, out=out, force=force)


@app.command()
def inspect(
    target: Annotated[Path, typer.Argument(help="A deck (.cir), or a folder of decks.")],
    loops: Annotated[bool, typer.Option(
        "--loops", help="Stability of a compiled folder's board instead: loop gain, phase margin, settling and headroom of "
                        "every amplifier; exit code 1 when a margin is under 45 degrees.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="With --loops: every loop, every operating point.")] = False,
    waveforms: Annotated[Path | None, typer.Option(
        help="With --loops: folder of simulated waveforms, for signals and clamp hits; default as for compare, or the torch "
             "solution where nothing was simulated.")] = None,
    why: Annotated[str | None, typer.Option(
        metavar="ELEMENT", help="Of a compiled folder of macro decks: the cells that an element of its reduced arrays is the "
                                "sum of, e.g. g_bl3_sl4, or hidden_2.g_bl3_sl4 of one layer.")] = None,
    stray: Annotated[float, typer.Option(min=0, help="With --loops: capacitance [F] of package and board at every pin of an "
                                                     "array, which the decks leave out.")] = 0.0,
    workers: Workers = 2,
    docs: Docs = None,
) -> None:
    """What is in a deck: blocks, devices, nodes, bill of materials, conductances; or the stability of a board (--loops); or
    where an element of a macro deck comes from (--why)."""
    if loops and why:
        raise CosimError("--loops and --why ask for different things; give one of them")
    if loops:
        from cosim.cli.commands.inspect_loops import run as run_loops

        run_loops(target, everything=all_, waveforms=waveforms, stray=stray, workers=workers, docs=docs)
        return
    if all_ or waveforms or stray or docs:
        raise CosimError("--all, --waveforms, --stray and --docs belong to --loops; add it, or leave them out")
    if why:
        from cosim.cli.commands.inspect_why import run as run_why

        run_why(target, why)
        return
    from cosim.cli.commands.inspect import run

    run(target)


@app.command()
def netlists(
    out: Annotated[Path, typer.Argument(help="Folder of committed decks.")] = Path("netlists"),
) -> None:
    """Write netlists/hp_memristor from the committed checkpoint, and every block alone to netlists/blocks."""
    from cosim.cli.commands.netlists import run

    run(out)


@app.command()
def parts(
    page: Annotated[Path, typer.Option(help="HTML page; drawn again only when decks, parts or drawing code changed.")] = Path(
        "docs/results/parts.html"),
    out: Annotated[Path, typer.Option(help="Folder for the decks and the figures.")] = Path("runs/parts"),
    workers: Workers = 2,
    force: Annotated[bool, typer.Option(help="Draw the page even where it is current.")] = False,
    quiet: Quiet = False,
    docs: Docs = None,
) -> None:
    """Hold every part's macromodel against its datasheet; exit code 1 when a deviation is not named in its header."""
    from cosim.cli.commands.parts import run

    run(page, out, workers=workers, force=force, quiet=quiet, docs=docs)


@app.command()
def doctor() -> None:
    """What is installed, what is missing, and how to get it."""
    from cosim.cli.commands.doctor import run

    run()


def main() -> None:
    """Run the command; what a user can cause ends in one message and exit code 1, without a traceback."""
    signal.signal(signal.SIGTERM, terminate)
    atexit.register(gc.freeze)  # at exit Python looks for garbage in all that torch has loaded, which takes seconds
    try:
        app()
    except KeyboardInterrupt as why:  # before or after the command itself
        sys.exit(ended(why))
    except (CosimError, CircuitError, TrainingError) as error:
        print(f"cosim: {printable(str(error))}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"cosim: {printable(str(error))}; check the path, its permissions and the free space", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
