"""Which ngspice: found once, its version and its solver checked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from circuits.errors import FailureKind, SimulationError

MIN_VERSION = 42  # first release whose KLU is complete
MEND = "run .ci/install-ngspice, or set COSIM_NGSPICE to the path of ngspice 42 or newer"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An ngspice binary that is new enough and has KLU."""

    path: Path
    version: int


def find_engine() -> Engine:
    """ngspice named by ``COSIM_NGSPICE``, else the one on PATH.

    Raises:
        SimulationError: engine_missing or engine_too_old, with the way to mend it.
    """
    return _probe(os.environ.get("COSIM_NGSPICE", ""), os.environ.get("PATH", ""))


@lru_cache(maxsize=8)
def _probe(named: str, _path: str) -> Engine:  # errors are not cached, so an install mends a running session
    found = shutil.which(named or "ngspice")
    if found is None:
        what = f"COSIM_NGSPICE={named} is not an executable file" if named else "no ngspice on PATH"
        raise SimulationError(f"{what}; {MEND}", kind=FailureKind.ENGINE_MISSING)
    for tool in ("prlimit", "setpriv"):
        if shutil.which(tool) is None:
            raise SimulationError(f"no {tool} on PATH, it limits and ends the engine's processes; install util-linux",
                                  kind=FailureKind.ENGINE_MISSING)
    try:
        answer = subprocess.run([found, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                                check=False)
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise SimulationError(f"{found} --version: {failed}; {MEND}", kind=FailureKind.ENGINE_MISSING) from failed
    text = answer.stdout + answer.stderr
    version = re.search(r"ngspice-(\d+)", text)
    if version is None:
        raise SimulationError(f"{found} --version does not name ngspice: {text[:200]!r}; {MEND}",
                              kind=FailureKind.ENGINE_MISSING)
    if int(version[1]) < MIN_VERSION or "KLU" not in text:
        raise SimulationError(f"{found} is ngspice {version[1]} {'with' if 'KLU' in text else 'without'} KLU, needed is "
                              f"{MIN_VERSION} or newer with KLU; {MEND}", kind=FailureKind.ENGINE_TOO_OLD)
    return Engine(path=Path(found).resolve(), version=int(version[1]))
