"""What a user names as a device: one of the project's, a file of measurements, or a Python file of his own."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from circuits.dynamic.catalogue import find_device
from circuits.dynamic.data_device import read_data_device
from circuits.dynamic.device import Device
from cosim.errors import CosimError


def read_device(name: str, *, step_time: float | None = None, length: int | None = None) -> Device:
    """A device of the catalogue by its name, a CSV or Parquet file, or what ``device()`` of a Python file returns.

    Args:
        step_time, length: of a file of measurements, as for :func:`circuits.dynamic.data_device.read_data_device`.
    Raises:
        DeviceError: the catalogue has no such device, or the file's data are not fit.
        CosimError: no such file, it fails, or it returns something else.
    """
    path = Path(name)
    if path.suffix in (".csv", ".parquet"):
        return read_data_device(path, step_time=step_time, length=length)
    if path.suffix != ".py":
        return find_device(name)
    if not path.is_file():
        raise CosimError(f"{path} does not exist; name a device (cosim device list) or a Python file with device()")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        found = module.device()
    except Exception as failed:  # a user's file may fail in any way; it is told as the cause
        raise CosimError(f"{path} failed: {type(failed).__name__}: {failed}; its function device() must return a "
                         "device") from failed
    if not isinstance(found, Device):
        raise CosimError(f"device() in {path} returned a {type(found).__name__}, not a circuits.dynamic device")
    return found
