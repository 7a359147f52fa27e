"""Programs built by the machine's C compiler, kept by their content."""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cosim.errors import CosimError

COMPILERS = ("cc", "gcc", "clang")
# reordered sums and vector functions (4 units in the last place); only when compiling: linked in, it would change how the
# whole process rounds the smallest numbers
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fPIC", "-c")
log = logging.getLogger(__name__)


@lru_cache
def compiler() -> str | None:
    """The C compiler's path; None, said once: there is none, or COSIM_KERNEL=off, and the model runs in numpy."""
    if os.environ.get("COSIM_KERNEL") == "off":
        return None
    found = next(filter(None, map(shutil.which, [os.environ.get("CC", ""), *COMPILERS])), None)
    if found is None:
        log.warning("no C compiler (cc, gcc, clang): behavioural boards are computed in numpy, several times slower")
    return found


@lru_cache
def built(text: str) -> ctypes.CDLL:
    """A program's library, from the cache or compiled now.

    Raises:
        CosimError: the compiler refuses the program; with its own words.
    """
    tool = compiler()
    name = hashlib.sha256("\n".join([text, *FLAGS, tool, _version(tool), _processor()]).encode()).hexdigest()[:32] + ".so"
    for folder in _caches():
        kept = folder / name
        for _ in range(2):  # what is there may be damaged; then it is compiled once more
            try:
                if not kept.exists():
                    _compile(tool, text, kept)
                return ctypes.CDLL(str(kept))
            except OSError as problem:
                log.info("no behavioural kernel in %s: %s", folder, problem)
                _discard(kept)
    raise CosimError("the behavioural kernel can be kept nowhere: neither the user's cache nor the temporary folder can be "
                     "written; set XDG_CACHE_HOME or TMPDIR to a folder that can, or COSIM_KERNEL=off for numpy")


def _compile(tool: str, text: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        source, compiled, linked = (Path(folder) / f"board{end}" for end in (".c", ".o", ".so"))
        source.write_text(text)
        for command in ([tool, *FLAGS, source, "-o", compiled], [tool, "-shared", compiled, "-o", linked, "-lm"]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise CosimError(f"{tool} refuses the behavioural kernel: {done.stderr.strip()[-500:]}\n"
                                 "Set COSIM_KERNEL=off to compute in numpy")
        os.replace(linked, target)


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _caches() -> Iterator[Path]:
    """The user's own folder; where that cannot be written, one that lasts as long as the process."""
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cosim" / "behavioural"
    folder = tempfile.mkdtemp(prefix="cosim-behavioural-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yield Path(folder)


@lru_cache
def _version(tool: str) -> str:
    return subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout


@lru_cache
def _processor() -> str:
    """What -march=native depends on: a home may be shared by machines."""
    information = Path("/proc/cpuinfo")
    flags = [line for line in information.read_text().splitlines() if line.startswith("flags")] if information.exists() else []
    return f"{platform.machine()} {platform.processor()} {''.join(flags[:1])}"
