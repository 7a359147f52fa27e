"""The installer's logic, on a machine made of a fake /etc and fake commands. No package manager is called."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "install-ngspice"
DEB822 = """\
Types: deb
# http://snapshot.example/archive
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
INLINE_KEY = """\
Types: deb deb-src
URIs: http://mirror.example/~debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
"""
ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb cdrom:[Debian]/ bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://mirror.example/debian bookworm main contrib
"""


@pytest.fixture
def machine(tmp_path):
    """Builds a machine and runs the installer on it: returns (process, calls of apt-get, text of the new source)."""

    def build(*, sources=None, one_line=None, release='ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
              have=39, gives=46, uid=0):
        root, bin_ = tmp_path / "root", tmp_path / "bin"
        (root / "etc/apt/sources.list.d").mkdir(parents=True, exist_ok=True)
        bin_.mkdir(exist_ok=True)
        (root / "etc/os-release").write_text(release)
        if sources is not None:
            (root / "etc/apt/sources.list.d/debian.sources").write_text(sources)
        if one_line is not None:
            (root / "etc/apt/sources.list").write_text(one_line)
        answer = "echo '** ngspice-{} : Circuit level simulation program'; echo '** Compiled with KLU Direct Linear Solver'"
        scripts = {
            "ngspice": answer.format(have) if have else "exit 127",
            "id": f"echo {uid}",
            "sudo": "exit 1",
            "apt-get": f"echo \"$@\" >> {tmp_path}/calls\n"
                       f"case \"$1\" in install) printf '#!/bin/sh\\n%s\\n' \"{answer.format(gives)}\" > {bin_}/ngspice;; esac",
        }
        for name, body in scripts.items():
            if not (name == "ngspice" and (bin_ / name).exists()):
                (bin_ / name).write_text(f"#!/bin/sh\n{body}\n")
            (bin_ / name).chmod(0o755)
        (tmp_path / "calls").write_text("")
        env = {"PATH": f"{bin_}:{os.environ['PATH']}", "ROOT": str(root)}
        done = subprocess.run([str(SCRIPT)], env=env, capture_output=True, text=True, timeout=20, check=False)
        new = root / "etc/apt/sources.list.d/debian-backports.sources"
        return done, (tmp_path / "calls").read_text().splitlines(), new.read_text() if new.exists() else None

    return build


def test_new_enough_does_nothing(machine):
    done, calls, source = machine(sources=DEB822, have=46)
    assert (done.returncode, done.stdout, done.stderr, calls, source) == (0, "", "", [], None)


def test_bookworm_takes_address_and_key_from_the_machine(machine):
    done, calls, source = machine(sources=DEB822)
    assert done.returncode == 0, done.stderr
    assert source == ("Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\n"
                      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n")
    assert calls == ["update -q", "install -y -q -t bookworm-backports ngspice"]


def test_second_run_does_nothing(machine):
    machine(sources=DEB822)
    done, calls, _ = machine(sources=DEB822)
    assert (done.returncode, done.stdout, calls) == (0, "", [])


def test_inline_key_is_copied_whole(machine):
    _, _, source = machine(sources=INLINE_KEY)
    assert "URIs: http://mirror.example/~debian\n" in source
    assert source.endswith("Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n"
                           " -----END PGP PUBLIC KEY BLOCK-----\n")


def test_one_line_sources(machine):
    _, _, source = machine(one_line=ONE_LINE)
    assert "URIs: http://mirror.example/debian\n" in source
    assert source.endswith("Signed-By: /usr/share/keyrings/k.gpg\n")


def test_backports_already_there_is_not_written_again(machine):
    done, calls, source = machine(sources=DEB822.replace("bookworm-updates", "bookworm-backports"))
    assert (done.returncode, source) == (0, None)
    assert calls[-1] == "install -y -q -t bookworm-backports ngspice"


@pytest.mark.parametrize("release", ["ID=debian\nVERSION_ID=13\nVERSION_CODENAME=trixie\n",
                                     "ID=ubuntu\nVERSION_ID=24.04\nVERSION_CODENAME=noble\n"])
def test_newer_systems_use_their_own_package(machine, release):
    done, calls, source = machine(release=release)
    assert (done.returncode, source) == (0, None)
    assert calls == ["update -q", "install -y -q ngspice"]


@pytest.mark.parametrize(("change", "says"), [
    (dict(uid=1000), "neither root nor sudo"),
    (dict(release="ID=debian\nVERSION_ID=11\nVERSION_CODENAME=bullseye\n"), "Debian 11 ships no"),
    (dict(release="ID=fedora\nVERSION_ID=40\n"), "no recipe for fedora"),
    (dict(sources=None), "no entry for the suite bookworm"),
    (dict(gives=39), "is not ngspice 42"),
])
def test_says_what_to_do_and_fails(machine, change, says):
    done, _, _ = machine(**{"sources": DEB822, **change})
    assert done.returncode == 1
    assert says in done.stderr
    assert "apt-get install -y -t bookworm-backports ngspice" in done.stderr
