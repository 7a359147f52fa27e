"""The short version of benchmarks/kills.py: a few kills of the whole command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(600)  # 20 s alone; minutes where others use the machine
def test_kills_leave_no_orphan_and_no_half_result():
    done = subprocess.run([sys.executable, "-m", "benchmarks.kills", "--count", "12", "--seed", "3", "--short"],
                          cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {row[0]: sum(map(int, row[1:])) for line in done.stdout.splitlines()
              if len(row := line.split()) == 6 and row[0].startswith("SIG")}
    assert counts == {"SIGKILL": 4, "SIGTERM": 4, "SIGINT": 4}
    assert re.search(r"^result 'current': as before: 12$", done.stdout, re.M)
    assert "violations: 0" in done.stdout
