"""The corner that a folder of decks is at: a field of its manifest, which a nominal folder's does not have."""

from __future__ import annotations

import json
from dataclasses import asdict

from circuits.corners.corner import Corner
from cosim.errors import ResultsError
from cosim.folder.manifest import NAME, Manifest

FIELD = "corner"


def manifest_at(manifest: Manifest, corner: Corner) -> str:
    """Text of the manifest of the same twin's decks at a corner; at the nominal one the nominal manifest's own text."""
    nominal = (manifest.folder / NAME).read_text()
    return json.dumps({**json.loads(nominal), FIELD: asdict(corner)}, indent=1) + "\n" if corner.changes else nominal


def corner_name(manifest: Manifest) -> str | None:
    """Name of the corner that a folder's decks are at; None: the nominal board.

    Raises:
        ResultsError: the field is damaged.
    """
    if FIELD not in manifest.raw:
        return None
    try:
        return str(manifest.raw[FIELD]["name"])
    except (LookupError, TypeError) as error:
        raise ResultsError(f"{manifest.folder / NAME} is damaged ({type(error).__name__}: {error}); compile again") from error


def check_nominal(manifest: Manifest) -> None:
    """Refuse a folder at a corner where the nominal board is asked for.

    Raises:
        ResultsError: the decks are at a corner; names it.
    """
    if corner := corner_name(manifest):
        raise ResultsError(f"{manifest.folder} is at corner {corner}, of which the board in {NAME} knows nothing; name the "
                           "folder of the nominal decks")
