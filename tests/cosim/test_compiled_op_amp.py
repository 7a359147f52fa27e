"""The compiled op-amp behind the commands: its cache, a machine without it, strangers' decks, keys of results, the HP board."""

import os
import stat
import sys

import numpy as np
import pytest

import circuits.engine.compiled.op_amp as form
from circuits.corners.corner import CORNERS
from circuits.engine.compiled.cache import cache_folder, path_of, read_module, write_module
from circuits.engine.job import Job
from circuits.engine.ngspice import find_engine
from circuits.engine.run import run
from circuits.parts import part_path
from cosim import Options, compile_network
from cosim.comparison.stored_runs import read_run
from cosim.simulation.decks import VACASK, deck_key, deck_keys, simulate
from cosim.simulation.run import Run
from cosim.store.files import read_frame
from cosim.studies.corners.folder import write_corner_folder
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths

FOLLOWER = "* a follower\n.include opa4990.lib\nv_cc vcc 0 2.5\nv_ee vee 0 -2.5\nv_in inp 0 1\n" \
           "x1 inp out vcc vee out opa4990\nr1 out 0 1k\n.options klu\n.save v(out)\n.op\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a process that has not looked for a module yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    form._found.cache_clear()
    yield tmp_path / "cache" / "cosim"
    form._found.cache_clear()


@pytest.fixture
def compilations(monkeypatch):
    """Counts how often the compiler makes the module."""
    made = []
    compile_module = form.compile_module
    monkeypatch.setattr(form, "compile_module", lambda *given: made.append(given) or compile_module(*given))
    return made


@pytest.fixture
def deck(tmp_path):
    folder = tmp_path / "deck"
    folder.mkdir()
    (folder / "opa4990.lib").write_text(part_path("opa4990").read_text())
    (folder / "follower.cir").write_text(f"{FOLLOWER}.end\n")
    return folder / "follower.cir"


def found_anew():
    form._found.cache_clear()
    return form.op_amp()


def only_file(folder):
    (path,) = folder.iterdir()
    return path


# The cache


def test_it_is_compiled_once_and_kept_for_this_user_alone(cache, compilations):
    first, second = found_anew(), found_anew()
    assert first == second
    assert len(compilations) == 1
    assert first.place == only_file(cache)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.place.stat().st_mode) == 0o600


@pytest.mark.parametrize("harm", [
    lambda path: path.write_bytes(path.read_bytes()[:-100]),  # cut off
    lambda path: path.write_bytes(path.read_bytes()[:5000] + b"\0" * 8 + path.read_bytes()[5008:]),
    lambda path: path.write_bytes(b""),
], ids=["cut off", "overwritten", "empty"])
def test_a_damaged_module_is_made_again(cache, compilations, harm):
    good = found_anew()
    harm(good.place)
    again = found_anew()
    assert len(compilations) == 2
    assert again == good
    assert read_module(cache, good.place.stem.removeprefix("opa4990-")) == good.module


def test_a_module_made_from_another_source_is_not_taken(cache, compilations, tmp_path, monkeypatch):
    first = found_anew()
    other = tmp_path / "other.va"
    other.write_text(form.SOURCE.read_text() + "\n// another remark\n")
    monkeypatch.setattr(form, "SOURCE", other)
    second = found_anew()
    assert len(compilations) == 2
    assert first.key != second.key
    assert len(list(cache.iterdir())) == 2


def test_a_link_in_the_cache_is_not_followed(cache, compilations, tmp_path):
    good = found_anew()
    target = tmp_path / "target"
    target.write_bytes(good.place.read_bytes())
    good.place.unlink()
    good.place.symlink_to(target)
    before = target.read_bytes()
    assert found_anew() == good
    assert len(compilations) == 2
    assert not good.place.is_symlink()  # replaced, and what it pointed to is as it was
    assert target.read_bytes() == before


@pytest.mark.parametrize("spoil", ["file others write", "folder others write", "folder is a link"])
def test_what_others_could_have_written_is_not_run(cache, compilations, tmp_path, spoil):
    good = found_anew()
    if spoil == "file others write":
        good.place.chmod(0o666)
    elif spoil == "folder others write":
        cache.chmod(0o777)
    else:
        cache.rename(tmp_path / "elsewhere")
        cache.symlink_to(tmp_path / "elsewhere")
    again = found_anew()
    assert len(compilations) == 2
    assert again.module is not None
    if spoil == "file others write":
        assert stat.S_IMODE(good.place.stat().st_mode) == 0o600
    else:
        assert again.place is None
        assert "made anew by every process: " in again.why
        assert str(cache) in again.why


def test_another_users_folder_is_not_believed(cache, monkeypatch):
    found_anew()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    again = found_anew()
    assert again.module is not None
    assert "belongs to another user; set XDG_CACHE_HOME" in again.why


def test_a_home_that_cannot_be_written_is_said_and_works(monkeypatch, deck):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    again = found_anew()
    assert (again.place, again.why) == (None, "made anew by every process: /proc/nowhere/cosim cannot be written "
                                        "(No such file or directory)")
    assert run(Job(deck=deck)).op_amp == "compiled"


def test_a_relative_cache_folder_is_not_taken(monkeypatch):
    """It would lie in the folder that a command is started in, a stranger's perhaps."""
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", "/home/someone")
    assert str(cache_folder()) == "/home/someone/.cache/cosim"
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("XDG_CACHE_HOME")
    folder = cache_folder()
    assert folder is None or folder.is_absolute()


def test_writing_leaves_nothing_half_done(tmp_path):
    assert write_module(tmp_path / "new", "k" * 64, b"module") == ""
    assert [path.name for path in (tmp_path / "new").iterdir()] == [path_of(tmp_path, "k" * 64).name]
    assert read_module(tmp_path / "new", "k" * 64) == b"module"
    assert read_module(tmp_path / "new", "l" * 64) is None


# A machine without it

OLD = """#!/bin/sh
# an ngspice without OSDI: it knows no command osdi
if [ -n "$SPICE_SCRIPTS" ]; then
    grep -v '^osdi' "$SPICE_SCRIPTS/spinit" > "$TMPDIR/spinit" && export SPICE_SCRIPTS="$TMPDIR"
fi
exec {ngspice} "$@"
"""


@pytest.fixture
def old_ngspice(tmp_path):
    path = tmp_path / "ngspice"
    path.write_text(OLD.format(ngspice=find_engine().path))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("lack", ["compiler", "linker", "osdi", "broken compiler"])
def test_without_it_everything_works_and_one_line_says_why(shell, deck, tmp_path, old_ngspice, lack):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("ngspice", "prlimit", "setpriv"):
        (tools / name).symlink_to(next(f"{place}/{name}" for place in os.environ["PATH"].split(":")
                                       if os.path.exists(f"{place}/{name}")))
    (tools / "false").write_text("#!/bin/sh\necho 'openvaf 1'\n")
    (tools / "false").chmod(0o755)
    env, why = {
        "compiler": ({"COSIM_OPENVAF": "/nowhere"}, "COSIM_OPENVAF=/nowhere is not an executable file; run 'pip install"),
        "linker": ({"PATH": str(tools)}, "no ld on PATH, with which OpenVAF links; install binutils"),
        "osdi": ({"COSIM_NGSPICE": str(old_ngspice)}, "cannot load it"),
        "broken compiler": ({"COSIM_OPENVAF": str(tools / "false")}, "made no module (exit code 0): openvaf 1; run"),
    }[lack]
    code, _, err = shell.run("simulate", deck, "--out", "waves", env=env | {"XDG_CACHE_HOME": str(tmp_path / "none")})
    assert code == 0, err
    (line,) = err.splitlines()
    assert line.startswith("op-amps run as their subcircuit, in up to twice the time, with the same results: ")
    assert why in line
    assert read_frame(shell.folder / "waves" / "follower.parquet")["v(out)"][0] == pytest.approx(1.0, abs=1e-3)
    assert why in shell.succeeds("doctor", env=env | {"XDG_CACHE_HOME": str(tmp_path / "none")})


def test_it_can_be_switched_off(shell, deck):
    code, _, err = shell.run("simulate", deck, "--out", "waves", env={"COSIM_OPAMP": "lib"})
    assert (code, err) == (0, "")
    assert "subcircuit, as COSIM_OPAMP=lib asks" in shell.succeeds("doctor", env={"COSIM_OPAMP": "lib"})
    code, _, err = shell.run("simulate", deck, "--out", "waves", env={"COSIM_OPAMP": "of"})
    assert code == 1
    assert "COSIM_OPAMP=of means nothing; set it to 'lib'" in err
    assert "Traceback" not in err


# Strangers' decks


@pytest.mark.parametrize(("line", "card"), [
    (8, "n1 inp out vcc vee out gain cosim_opa4990 vos=0"), (8, ".model cosim_opa4990 cosim_opa4990 c_gain=1"),
    (8, "osdi ../opa4990.osdi"), (8, "pre_osdi ../opa4990.osdi"), (9, ".control\npre_osdi ../opa4990.osdi\n.endc"),
])
def test_a_deck_that_names_the_device_or_its_module_is_refused(warm_shell, deck, line, card):
    deck.write_text(FOLLOWER.replace(".options klu\n", f"{card}\n.options klu\n") + ".end\n")
    told = warm_shell.refuses("simulate", deck, "--out", "waves")
    assert told.startswith("cosim: rejected_input: ")
    assert f"/follower.cir:{line}: " in told


def test_modules_in_a_strangers_folder_are_not_loaded(warm_shell, deck, cache):
    """A folder that brings a module of the right name, a start-up file that loads it, and a cache of its own."""
    canary = deck.parent / "canary"
    module = b"\x7fELF not one"
    for name in ("opa4990.osdi", ".cache/cosim/x.module", "cosim/x.module"):
        (deck.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (deck.parent / name).write_bytes(module)
    for name in ("spinit", ".spiceinit", "spice.rc"):
        (deck.parent / name).write_text(f"osdi opa4990.osdi\nshell touch {canary}\n")
    warm_shell.succeeds("simulate", deck, "--out", "waves", env={"SPICE_SCRIPTS": str(deck.parent), "XDG_CACHE_HOME": "."})
    assert not canary.exists()
    assert read_frame(warm_shell.folder / "waves" / "follower.parquet")["v(out)"][0] == pytest.approx(1.0, abs=1e-3)
    assert (deck.parent / "opa4990.osdi").read_bytes() == module


def test_a_strangers_op_amp_of_that_name_runs_as_he_wrote_it(deck):
    lib = deck.parent / "opa4990.lib"
    lib.write_text(".subckt opa4990 inp inn vcc vee out params: vos=0\ne1 out 0 inp 0 0.25\n.ends\n")
    result = run(Job(deck=deck))
    assert result.op_amp == "lib"
    assert result.waveforms["v(out)"][0] == pytest.approx(0.25)


# Keys


def test_results_of_the_two_forms_are_told_apart(deck, tmp_path, monkeypatch):
    wanted = Run(deck=deck, vectors=tmp_path / "follower.parquet", label="follower")
    assert simulate([wanted]) == [wanted]
    assert simulate([wanted]) == []
    compiled = read_frame(wanted.vectors).attrs["key"]
    monkeypatch.setenv("COSIM_OPAMP", "lib")
    assert simulate([wanted]) == [wanted]
    assert simulate([wanted]) == []
    assert read_frame(wanted.vectors).attrs["key"] != compiled == deck_keys(deck)[1]
    assert deck_key(deck, VACASK) not in deck_keys(deck)


def test_a_key_is_the_same_where_the_device_cannot_be_made(deck, monkeypatch):
    here = deck_keys(deck)
    monkeypatch.setenv("COSIM_OPENVAF", "/nowhere")
    assert form.op_amp().module is None
    assert deck_keys(deck) == here[::-1]


# The HP board


@pytest.fixture(scope="module")
def hp(tmp_path_factory):
    """Its macro decks, and the sine with both forms."""
    experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    compiled = compile_network(experiment, tmp_path_factory.mktemp("hp") / "decks", Options(fidelity="macro"))
    return compiled, [run(Job(deck=compiled.decks["sine"], op_amp=kind)) for kind in ("lib", "compiled")]


def test_the_hp_board_is_the_same_with_both(hp):
    compiled, (lib, device) = hp
    assert [lib.op_amp, device.op_amp] == ["lib", "compiled"]
    times = np.linspace(compiled.manifest.start, lib.waveforms.time[-1], 1000)
    one, other = (result.waveforms.resample("v(x0_p)", times) for result in (lib, device))
    assert np.abs(other - one).max() / np.abs(one).max() < 3e-6  # expected 1.3e-6: where the steps fall


@pytest.mark.parametrize("corner", ["cold", "low_supply", "offset_high"])
def test_a_corner_of_it_is_the_same_with_both(hp, tmp_path, corner):
    compiled, _ = hp
    write_corner_folder(compiled.manifest, tmp_path, CORNERS[corner])
    results = [run(Job(deck=tmp_path / "sine.cir", op_amp=kind)) for kind in ("lib", "compiled")]
    times = np.linspace(compiled.manifest.start, results[0].waveforms.time[-1], 1000)
    one, other = (result.waveforms.resample("v(x0_p)", times) for result in results)
    assert np.abs(other - one).max() / np.abs(one).max() < 5e-6  # expected 1.5e-6: where the steps fall


def test_stored_waveforms_of_either_form_are_of_the_folders_deck(hp, tmp_path, monkeypatch):
    compiled, _ = hp
    wanted = Run(deck=compiled.decks["sine"], vectors=tmp_path / "sine.parquet", label="sine")
    simulate([wanted])
    monkeypatch.setenv("COSIM_OPAMP", "lib")
    assert "v(x0_p)" in read_run(compiled, "sine", wanted.vectors)


def test_python_that_runs_the_tests_has_the_compiler():
    """Else everything above would compare the subcircuit with itself."""
    assert form.op_amp().module is not None, (form.op_amp().why, sys.executable)
