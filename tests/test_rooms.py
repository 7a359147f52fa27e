"""The rooms keep their import rules, seen from fresh interpreters."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def modules_of(room: str) -> list[str]:
    files = sorted((ROOT / room).rglob("*.py"))
    return [".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for f in files]


@pytest.mark.parametrize(("room", "banned"), [
    ("circuits", ("torch", "training", "cosim")),
    ("training", ("PySpice", "circuits", "cosim")),
])
def test_room_never_imports(room, banned):
    program = (
        "import importlib, sys\n"
        f"for name in {modules_of(room)!r}: importlib.import_module(name)\n"
        f"print([name for name in {banned!r} if name in sys.modules])"
    )
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.strip() == "[]"


def test_rooms_are_not_empty():
    assert all(len(modules_of(room)) > 5 for room in ("circuits", "training", "cosim"))
