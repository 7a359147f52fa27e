"""The corner that a folder of decks is at: a field of its manifest, which a nominal folder's does not have."""

from __future__ import annotations

import json
from dataclasses import asdict

from circuits.corners.corner import Corner
from cosim.errors import ResultsError
from cosim.folder.manifest import CORNER_FIELD, MANIFEST_NAME, Manifest


def manifest_at(manifest: Manifest, corner: Corner) -> str:
    """Text of the manifest of the same twin's decks at a corner; at the nominal one the nominal manifest's own text."""
    if not corner.changes:
        return manifest.text
    return json.dumps({**json.loads(manifest.text), CORNER_FIELD: asdict(corner)}, indent=1) + "\n"


def check_nominal(manifest: Manifest) -> None:
    """Refuse a folder at a corner where the nominal board is asked for.

    Raises:
        ResultsError: the decks are at a corner; names it.
    """
    if manifest.corner:
        raise ResultsError(f"{manifest.folder} is at corner {manifest.corner}, of which the board in {MANIFEST_NAME} knows "
                           "nothing; name the folder of the nominal decks")
