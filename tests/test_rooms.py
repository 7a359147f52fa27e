"""The rooms keep their import rules: what each may not import, the order of their folders, no cycle."""

import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
# Each may import itself and what stands before it, nothing behind it. A file of a room counts as a folder of its name.
ORDER = {
    "circuits": ("errors", "cards", "parts", "engine", "vacask", "netlist", "array", "stages", "board", "dynamic", "corners",
                 "benches", "loops"),
    "training": ("errors", "checkpoint", "stimuli", "noise", "soft_dtw", "integrate", "lyapunov", "systems", "models",
                 "trainer", "baselines", "shooting", "ridges", "experiments", "twins", "networks", "tasks"),
    "cosim": ("errors", "console", "store", "problem", "compiler", "folder", "report", "simulation", "behavioural",
              "diagnosis", "comparison", "golden", "pytest_plugin", "experiment", "front_door", "devices", "studies",
              "cli"),
}
MOST_ENTRIES = 20  # of `ls` of a folder
CATALOGUES = {Path("training/stimuli")}  # a kind a file, as many as there are kinds
FOLDERS = sorted({path.parent.relative_to(ROOT) for room in ORDER for path in (ROOT / room).rglob("__init__.py")} - CATALOGUES)


@pytest.fixture(scope="module")
def imports():
    """(importer, imported) of every import between modules of ours, dotted; lazy ones too, those for types alone not."""
    graph = grimp.build_graph(*ORDER, cache_dir=None, exclude_type_checking_imports=True)
    return [(module, imported) for module in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(module))]


def modules_of(room: str) -> list[str]:
    files = sorted((ROOT / room).rglob("*.py"))
    names = [".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for f in files]
    return [name for name in names if not name.endswith("__main__")]


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
    assert all(len(modules_of(room)) > 5 for room in ORDER)


@pytest.mark.parametrize("room", ORDER)
def test_every_folder_has_its_place_in_the_order(room):
    there = {path.stem for path in (ROOT / room).iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert there - {"__init__", "__main__"} == set(ORDER[room])


@pytest.mark.parametrize("room", ORDER)
def test_nothing_imports_upward(room, imports):
    upward = [f"{importer} imports {imported}" for importer, imported in imports
              if importer.startswith(f"{room}.") and imported.startswith(f"{room}.")
              and ORDER[room].index(importer.split(".")[1]) < ORDER[room].index(imported.split(".")[1])]
    assert upward == []


def test_no_command_imports_another(imports):
    """A command parses and prints; what two of them need lies in a room."""
    commands = "cosim.cli.commands."
    assert [f"{importer} imports {imported}" for importer, imported in imports
            if importer.startswith(commands) and imported.startswith(commands)] == []


def test_no_module_imports_itself_in_a_circle(imports):
    sorter = TopologicalSorter()
    for importer, imported in imports:
        sorter.add(importer, imported)
    sorter.prepare()  # raises CycleError, which names the modules


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_ls_fits_a_screen(folder):
    entries = [path.name for path in (ROOT / folder).iterdir() if path.name != "__pycache__"]
    assert len(entries) <= MOST_ENTRIES, sorted(entries)
