"""Options: of an ``.options`` card, those that ngspice acts on are kept and the others left out.

ngspice passes over an option that it does not know. Which ones it knows was found by trying every word in its program as an
option and comparing results bit by bit (ngspice 46).
"""

from __future__ import annotations

import re
from dataclasses import replace

from circuits.cards.card import Card
from circuits.engine.door.whitelist import Note

OPTIONS = frozenset(
    "abstol acct badmos3 bypass chgtol convabsstep convlimit convstep cptime cshunt cshunt_value defad defas defl defm defw "
    "delmin epsmin gmin gminfactor gminsteps gshunt indverbosity interp itl1 itl2 itl3 itl4 itl5 itl6 keepopinfo klu "
    "klu_memgrow_factor limpts limtim list lteabstol ltereltol ltetrtol lvlcod lvltim maxevtiter maxopalter maxord maxwarns "
    "method minbreak newtrunc noacct node noinit nomod noopac noopalter noopiter nopage nostepsizelimit numdgt oldlimit opts "
    "pivrel pivtol ramptime reltol rseries rshunt savecurrents savecurrents_bsim3 savecurrents_bsim4 savecurrents_mos1 scale "
    "seed seedinfo sparse sqrnoise srcsteps temp tnom trtol trytocompact vntol warn xmu xtrtol".split())
REFUSED = {"autostop": "with a raw file ngspice ends the run at its first point; remove it",
           "ngdebug": "it writes files; remove it"}
FOURIER_OPTIONS = frozenset("fourgridsize nfreqs polydegree".split())

_VALUE = r"'[^']*'|\{[^{}]*\}|\"[^\"]*\"|\([^()]*\)|[^\s,=(){}'\"]+"
_OPTION = re.compile(rf"\s*,*\s*(\"?[a-z_][\w.]*\"?)(?:\s*=\s*({_VALUE}))?(?=[\s,]|$)", re.I | re.ASCII)


def check_options(card: Card, note: Note) -> Card | None:
    """The card with the options that ngspice knows; None when none is left.

    Raises:
        RejectedDeck: an option that is refused, or a list that ngspice would read otherwise than it looks.
    """
    kept, at, dropped = [], len(card.keyword), []
    text = card.text.rstrip(" ,")
    while at < len(text):
        found = _OPTION.match(text, at)
        if found is None:
            raise card.reject(f"the list of options cannot be read from {text[at:at + 30]!r} on; write name or name=value, "
                              "blanks between them")
        at = found.end()
        name = found[1].strip('"').lower()
        if name in REFUSED:
            raise card.reject(f"option {name}: {REFUSED[name]}")
        if name in OPTIONS:
            kept.append(name if found[2] is None else f"{name}={found[2]}")
        else:
            dropped.append(name)
    if not dropped:
        return card
    note(card, f"option{'s' if len(dropped) > 1 else ''} {', '.join(dropped)} left out; ngspice has none of that name")
    return replace(card, text=f".options {' '.join(kept)}") if kept else None
