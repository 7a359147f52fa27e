"""Which form of the op-amp this machine uses, found once: the compiled device, or the subcircuit and why."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock

from circuits.cards.card import DeckFile
from circuits.engine.compiled.cache import cache_folder, path_of, read_module, write_module
from circuits.engine.compiled.cards import (
    PART,
    FiguresError,
    compiled_cards,
    compiled_files,
    holds_op_amp,
    model_parameters,
    unlike,
)
from circuits.engine.compiled.compiler import FLAGS, Compiler, CompilerError, compile_module, find_compiler, packaged
from circuits.engine.door.request import Request
from circuits.engine.job import Job
from circuits.engine.ngspice import Engine, find_engine
from circuits.engine.process import run_process
from circuits.engine.rawfile import read_raw
from circuits.engine.workplace import environment, workplace, write_bytes, write_text
from circuits.errors import CircuitError, FailureKind, RawFileError, SimulationError
from circuits.parts import read_part
from circuits.parts.part import FOLDER

SWITCH = "COSIM_OPAMP"  # "lib" keeps the subcircuit
SOURCE = FOLDER / "opa4990.va"
MODULE = "opa4990.osdi"  # in a run's private folder
LOAD = f"osdi ../{MODULE}"  # line of the start-up file; ngspice runs in a folder below that of the module

_LOCK = Lock()  # one thread compiles, the others wait for it


@dataclass(frozen=True, kw_only=True)
class OpAmp:
    """The form in use."""

    module: bytes | None  # what ngspice loads; None: the subcircuit is used
    key: str = ""  # of the compiled form: its source and its figures
    why: str = ""  # of the subcircuit, or what is to be said of the cache; empty where everything is as it should be
    place: Path | None = None  # where the module is kept
    wished: bool = False  # the subcircuit was asked for

    @property
    def words(self) -> str:
        """For a line of ``cosim doctor``."""
        if self.module is None:
            return f"subcircuit, {self.why}"
        return f"compiled, kept in {self.place}" if not self.why else f"compiled, {self.why}"


def op_amp() -> OpAmp:
    """The form that this machine uses.

    The answer is kept for the process, and made again when what it depends on changes: the switch, ngspice, the compiler, the
    cache's place.

    Raises:
        CircuitError: ``COSIM_OPAMP`` has a value that means nothing.
        SimulationError: there is no ngspice.
    """
    wish = os.environ.get(SWITCH, "")
    if wish not in ("", "lib"):
        raise CircuitError(f"{SWITCH}={wish} means nothing; set it to 'lib' for the op-amp's subcircuit, or unset it")
    if wish:
        return OpAmp(module=None, why=f"as {SWITCH}=lib asks", wished=True)
    with _LOCK:
        return _found(find_engine(), os.environ.get("COSIM_OPENVAF", ""), packaged(), cache_folder(),
                      os.environ.get("PATH", ""), SOURCE.read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A checked deck with the op-amp in the form that its run uses."""

    files: tuple[DeckFile, ...]  # the deck first
    op_amp: str = ""  # "compiled" or "lib"; empty for a deck without an opa4990
    module: bytes | None = None  # what ngspice loads for it
    key: str = ""  # of the compiled form, to go into the key of a result; empty for a deck that runs as it is
    why: str = ""  # it keeps its subcircuit; empty where it does not


def choose(files: Sequence[DeckFile], request: Request, job: Job) -> Chosen:
    """The compiled device for a deck that holds the project's own op-amp, where this machine has it and the job lets it.

    Raises:
        SimulationError: unsupported_analysis, the job insists on the compiled form and cannot have it; says why.
    """
    files = tuple(files)
    if not holds_op_amp(files):
        return Chosen(files=files)
    if job.op_amp == "lib":
        return Chosen(files=files, op_amp="lib", why="the job asks for it")
    form = op_amp()
    why = form.why if form.module is None else unlike(files, request)
    if not why:
        return Chosen(files=compiled_files(files), op_amp="compiled", module=form.module, key=form.key)
    if job.op_amp == "compiled":
        raise SimulationError(f"the job insists on the compiled op-amp and cannot have it: {why}",
                              kind=FailureKind.UNSUPPORTED_ANALYSIS, deck=job.deck)
    return Chosen(files=files, op_amp="lib", why=why)


def result_keys(files: Sequence[DeckFile], request: Request) -> tuple[str, ...]:
    """What distinguishes results of a checked deck by the op-amp's form: that of the form in use, then that of the other.

    Empty stands for the deck as it is. A deck that can only run as it is has one. They are the same on every machine, also
    where the other form cannot be made.
    """
    used = choose(files, request, Job(deck=files[0].path)).key
    other = "" if used else _compiled_key(files, request)
    return (used,) if used == other else (used, other)


def _compiled_key(files: Sequence[DeckFile], request: Request) -> str:
    try:
        return "" if not holds_op_amp(files) or unlike(files, request) else _key(SOURCE.read_text(encoding="utf-8"))
    except FiguresError:  # there is no compiled form of the project's own part: op_amp() says so
        return ""


def _key(source: str) -> str:
    return _hash(source, model_parameters())


@lru_cache(maxsize=8)
def _found(engine: Engine, _named: str, _packaged: Path | None, folder: Path | None, _path: str, source: str) -> OpAmp:
    try:
        key = _key(source)
        compiler = find_compiler()
        made_from = _hash(source, compiler.version, *FLAGS, platform.machine(), platform.system())
        module, why = _module(compiler, source, folder, made_from)
    except (CompilerError, FiguresError) as missing:
        return OpAmp(module=None, why=str(missing))
    if problem := _refused(engine, module):
        return OpAmp(module=None, why=problem)
    if why:
        return OpAmp(module=module, key=key, why=f"made anew by every process: {why}")
    return OpAmp(module=module, key=key, place=path_of(folder, made_from))


def _module(compiler: Compiler, source: str, folder: Path | None, key: str) -> tuple[bytes, str]:
    """The module, from the cache or made now; and why it could not be kept, empty where it is."""
    if folder is None:
        return compile_module(compiler, source), "there is no home folder to keep it in"
    module = read_module(folder, key)
    if module is not None:
        return module, ""
    module = compile_module(compiler, source)
    return module, write_module(folder, key, module)


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()


_PROBE = """* does this ngspice load the compiled op-amp, and is it one
.include opa4990.lib
v_cc vcc 0 2.5
v_ee vee 0 -2.5
v_in inp 0 1
x_op inp out vcc vee out opa4990
r_load out 0 1e3
.save v(out)
.op
.end
"""


def _refused(engine: Engine, module: bytes) -> str:
    """Why ngspice cannot use the module, empty where it can: a follower of 1 V is simulated with it."""
    job = Job(deck=SOURCE, timeout=60.0)
    with workplace(job.deck) as folder:
        write_bytes(folder / MODULE, module, job.deck)
        lines = [card.text for card in compiled_cards(read_part(PART).cards)]
        write_text(folder / "deck" / "opa4990.lib", "\n".join([*lines, ""]), job.deck)
        write_text(folder / "deck" / "probe.cir", _PROBE, job.deck)
        finished = run_process([str(engine.path), "-n", "-b", "-r", "../out.raw", "probe.cir"], job, folder=folder / "deck",
                               env=environment(folder, (LOAD,), job.deck))
        mend = "install an ngspice that was built with OSDI, as Debian's is; TMPDIR has to be where libraries may be loaded"
        try:
            out = float(read_raw(folder / "out.raw")[0]["v(out)"][0].real)
        except (RawFileError, CircuitError):
            told = next((line.strip() for line in finished.stderr.splitlines() if "osdi" in line.lower()), "no message")
            return f"ngspice {engine.version} cannot load it ({told}); {mend}"
    return "" if abs(out - 1) < 1e-4 else f"ngspice {engine.version} makes {out:g} V of a follower's 1 V with it; {mend}"
