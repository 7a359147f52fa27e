"""One engine process: limited, watched, and gone when we are gone."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal

from circuits.engine.job import Job
from circuits.errors import FailureKind, SimulationError

LOG_LIMIT = 4 * 2**20  # bytes of a stream kept at either end; math errors can write gigabytes
POLL = 0.1  # s between looks at the clock and the stop event


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A process that has ended. ``returncode`` is negative for a signal; ``ended`` says whether we stopped it."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    ended: Literal["itself", "timeout", "stopped"]


def run_process(
    argv: Sequence[str],
    job: Job,
    *,
    folder: Path,
    env: dict[str, str],
    on_output: Callable[[bytes], None] | None = None,
    stop: Event | None = None,
) -> Finished:
    """Run a command under the job's limits and wait for it.

    The child leads its own session, so that one signal ends all of it. ``prlimit`` and ``setpriv`` set the limits and the
    parent-death signal in the child before it becomes ngspice: ``preexec_fn`` may deadlock in a process with threads.

    Args:
        on_output: gets standard output as it arrives.
        stop: set by another thread to end the run.
    """
    limits = [f"--as={int(job.memory_limit)}", f"--fsize={int(job.file_limit)}", "--core=0"]
    if job.cpu_limit is not None:
        limits.append(f"--cpu={int(job.cpu_limit)}:{int(job.cpu_limit) + 5}")
    command = ["prlimit", *limits, "--", "setpriv", "--pdeathsig", "KILL", "--", *argv]
    started = time.monotonic()
    try:
        child = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, start_new_session=True)
    except OSError as failed:
        raise SimulationError(f"cannot start {argv[0]}: {failed}; free processes or memory and run again",
                              kind=FailureKind.ENGINE_MISSING, deck=job.deck) from failed
    out, err = _Stream(), _Stream()
    ended: Literal["itself", "timeout", "stopped"] = "itself"
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ, out)
            selector.register(child.stderr, selectors.EVENT_READ, err)
            while selector.get_map():
                left = started + job.timeout - time.monotonic()
                if left <= 0 or (stop is not None and stop.is_set()):
                    ended = "timeout" if left <= 0 else "stopped"
                    break
                for key, _ in selector.select(min(POLL, left)):
                    chunk = os.read(key.fd, 65536)
                    if not chunk:
                        selector.unregister(key.fileobj)
                        continue
                    key.data.add(chunk)
                    if key.data is out and on_output is not None:
                        on_output(chunk)
        if ended == "itself":
            try:
                child.wait(max(started + job.timeout - time.monotonic(), POLL))
            except subprocess.TimeoutExpired:
                ended = "timeout"
    finally:  # also on Ctrl-C and on an error of the caller's progress function
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        child.stderr.close()
    return Finished(returncode=child.returncode, stdout=out.text(), stderr=err.text(),
                    seconds=time.monotonic() - started, ended=ended)


class _Stream:
    """Both ends of a stream: errors start at its beginning, the last words are at its end."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.tail = bytearray()
        self.dropped = 0

    def add(self, chunk: bytes) -> None:
        if len(self.head) < LOG_LIMIT:
            self.head += chunk
            return
        self.tail += chunk
        if len(self.tail) > 2 * LOG_LIMIT:
            self.dropped += len(self.tail) - LOG_LIMIT
            del self.tail[:-LOG_LIMIT]

    def text(self) -> str:
        gap = f"\n[... {self.dropped} bytes dropped ...]\n".encode() if self.dropped else b""
        return bytes(self.head + gap + self.tail).decode("utf-8", "replace")
