"""`cosim device`: parse and hand on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cosim.cli.options import Quiet, Workers

device = typer.Typer(no_args_is_help=True, help="Dynamic devices: list them, record them, fit twins to them.")


@device.command("list")
def device_list() -> None:
    """The devices that come with the project: what they are, where they come from, what they are driven with."""
    from cosim.cli.commands.device.list import run

    run()


@device.command("sample")
def device_sample(
    name: Annotated[str, typer.Argument(metavar="DEVICE", help="A device of `cosim device list`, a CSV or Parquet file "
                                                               "of measurements, or a Python file with device().")],
    sequences: Annotated[int, typer.Option(help="Sequences; inputs of those of even number change every step, "
                                                     "others are held.")] = 200,
    length: Annotated[int, typer.Option(help="Steps of a sequence; of a file that is one long sequence, of its pieces.")] = 20,
    repeats: Annotated[int, typer.Option(help="Runs of every sequence, each with noise of its own.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of inputs and noise.")] = 0,
    step_time: Annotated[float | None, typer.Option(help="Seconds between the rows of a file that has no column time.")] = None,
    out: Annotated[Path | None, typer.Option(help="Parquet file; default runs/devices/<device>.parquet.")] = None,
    workers: Workers = 2,
    force: Annotated[bool, typer.Option(help="Record again what is there already.")] = False,
    quiet: Quiet = False,
) -> None:
    """Drive a device with random inputs over its range and record it (Parquet); what was recorded before an interrupt is kept.

    Measurements are checked and written as they are."""
    from cosim.cli.commands.device.sample import run
    from cosim.devices.plan import SamplingPlan

    plan = SamplingPlan(sequences=sequences, length=length, repeats=repeats, seed=seed)
    run(name, plan, out, step_time=step_time, workers=workers, force=force, quiet=quiet)


@device.command("fit")
def device_fit(
    recording: Annotated[Path, typer.Argument(help="Parquet file of `cosim device sample`, or a CSV file with the columns "
                                                   "time, input, x0, ...")],
    delays: Annotated[int, typer.Option(min=0, help="Earlier values of the observables that the twin sees, steps.")] = 0,
    method: Annotated[str, typer.Option(help="How the noise is fitted: likelihood, energy or adversarial.")] = "likelihood",
    bistable: Annotated[bool, typer.Option("--bistable", help="Noise decides the device's branch: fit it all by the noise's "
                                                              "method, not by free runs.")] = False,
    auxiliaries: Annotated[int, typer.Option(min=1, help="Auxiliary states of the SDE, which colour its noise.")] = 3,
    hidden: Annotated[int, typer.Option(min=1, help="Neurons of the twin.")] = 24,
    effort: Annotated[float, typer.Option(help="Multiplies the steps of every fit; 0.1 for a first look.")] = 1.0,
    lstm: Annotated[bool, typer.Option("--lstm", help="Fit an LSTM of as many parameters too, to compare with.")] = False,
    held: Annotated[float, typer.Option(help="Part of the sequences that is held out.")] = 0.2,
    length: Annotated[int | None, typer.Option(min=1, help="Steps of the pieces that a CSV file of one sequence is cut "
                                                           "into.")] = None,
    step_time: Annotated[float | None, typer.Option(help="Seconds between the rows of a CSV file without a column "
                                                             "time.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, batches and noise.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the twins and the held-out paths.")] = Path("runs/device_twins"),
    force: Annotated[bool, typer.Option(help="Fit again what is there already.")] = False,
    quiet: Quiet = False,
) -> None:
    """Fit a neural ODE and a neural SDE to a recorded device, and say how near they are on held-out sequences.

    A minute; twins that are current are not fitted again."""
    from cosim.cli.commands.device.fit import run
    from training.twins.fit import FitOptions

    options = FitOptions(delays=delays, method=method, bistable=bistable, auxiliaries=auxiliaries, hidden=hidden, seed=seed,
                         effort=effort)
    run(recording, options, out, lstm=lstm, held=held, length=length, step_time=step_time, force=force, quiet=quiet)
