"""The committed decks are what the committed checkpoint compiles to, byte for byte."""

from pathlib import Path

from cosim.studies.hp_memristor.experiment import hp_experiment, hp_options
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths

COMMITTED = Path(__file__).parents[2] / "netlists" / "hp_memristor"


def test_regenerating_changes_no_byte(tmp_path):
    hp_experiment("current", load(checkpoint_paths("current")[0]).net).compile(tmp_path, hp_options())
    made = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    kept = {p.relative_to(COMMITTED): p.read_bytes() for p in COMMITTED.rglob("*")
            if p.is_file() and p.suffix not in (".raw", ".html", ".key") and p.name != "README.md"}
    assert made.keys() == kept.keys()
    assert [str(name) for name in made if made[name] != kept[name]] == []
