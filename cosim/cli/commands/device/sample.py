"""`cosim device sample`."""

from __future__ import annotations

from pathlib import Path

from circuits.dynamic.data_device import DataDevice
from cosim.console import Console
from cosim.devices.plan import SamplingPlan
from cosim.devices.sampling import sample, write_data
from cosim.devices.source import read_device


def run(name: str, plan: SamplingPlan, out: Path | None, *, step_time: float | None, workers: int, force: bool,
        quiet: bool) -> None:
    """Record a device, or say that its recording is current; of a file of measurements, write what it holds."""
    device = read_device(name, step_time=step_time, length=plan.length)
    out = out or Path("runs") / "devices" / f"{device.name}.parquet"
    console = Console(quiet=quiet)
    if isinstance(device, DataDevice):
        write_data(device, out)
        sequences, repeats, rows, _ = device.states.shape
        console.say(f"{device.name}: {sequences} sequences of {rows - 1} steps, {repeats} repeats, as measured")
    else:
        with console.bars() as update:
            made = sample(device, plan, out, workers=workers, force=force,
                          progress=lambda done, total: update(device.name, done / total))
        if not made:
            console.say(f"{out} is current")
    print(f"recording: {out}")
