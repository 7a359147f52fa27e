"""pytest fixtures that hold the waveforms of SPICE decks: ``simulate_deck`` and ``waveform_regression``.

pytest loads this module in every run of everyone who has the package, so it imports nothing but pytest. The fixtures import
what they need when a test asks for them.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from cosim.golden.deck_runs import DeckRuns
    from cosim.golden.regression import WaveformRegression

INSTALL = "pip install 'cosim[pytest]'"


@pytest.fixture(scope="session")
def simulate_deck() -> DeckRuns:
    """``simulate_deck(path, timeout=600.0)`` runs a SPICE deck with ngspice and gives its Waveforms; a deck of the same content
    runs once a session."""
    from cosim.golden.deck_runs import DeckRuns

    return DeckRuns()


@pytest.fixture
def waveform_regression(request: pytest.FixtureRequest, simulate_deck: DeckRuns) -> WaveformRegression:
    """``waveform_regression.check(deck, vectors=("v(out)",), band=0.005)`` holds waveforms within a band of a golden file.

    The first run writes the file beside the test and fails; a later failure draws a picture of the difference.
    """
    for module in ("pytest_datadir", "pytest_regressions"):
        if find_spec(module) is None:
            _refuse(f"the package {module.replace('_', '-')}, which is not installed; {INSTALL}")
    if not hasattr(request.config.option, "force_regen"):
        _refuse("the plugin pytest-regressions, which is installed and not loaded; load it with '-p regressions'")
    try:
        datadir = request.getfixturevalue("lazy_datadir")
    except pytest.FixtureLookupError:
        _refuse("the plugin pytest-datadir 1.7 or newer, which is not loaded; load it with '-p pytest-datadir'")
    from cosim.golden.regression import WaveformRegression

    return WaveformRegression(simulate_deck=simulate_deck, datadir=datadir, request=request,
                              original_datadir=request.getfixturevalue("original_datadir"))


def _refuse(need: str) -> NoReturn:
    pytest.fail(f"the fixture waveform_regression needs {need}", pytrace=False)
