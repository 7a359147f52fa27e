"""The solver's options: their text, and what is refused."""

import pytest

from circuits.errors import CircuitError
from circuits.netlist.solver import ACCURATE, Solver


def test_the_default_is_what_the_decks_were_made_with():
    assert ACCURATE.options == "klu noopiter nopage noinit trtol=1 xmu=0.49"


def test_a_looser_one():
    assert Solver(trtol=50.0, chgtol=1e-11).options == "klu noopiter nopage noinit trtol=50 chgtol=1e-11 xmu=0.49"
    assert Solver(method="gear", trtol=7).options == "klu noopiter nopage noinit method=gear trtol=7"


@pytest.mark.parametrize(("field", "value"), [("method", "euler"), ("trtol", 0.5), ("trtol", float("nan")), ("chgtol", 0.0),
                                              ("xmu", 0.6)])
def test_refuses(field, value):
    with pytest.raises(CircuitError, match=field):
        Solver(**{field: value})
