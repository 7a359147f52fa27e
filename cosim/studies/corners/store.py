"""corners.json: the rows of a study, and of earlier studies of the same decks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cosim.errors import ResultsError
from cosim.folder.manifest import Manifest
from cosim.simulation.decks import deck_key
from cosim.store.files import content_key, write_json
from cosim.studies.corners.row import CLAIM, CornerRow


def write_corners(path: Path, manifest: Manifest, rows: Sequence[CornerRow]) -> list[str]:
    """Write rows and what they were held against; rows of other corners that the file holds of these decks stay.

    Args:
        path: of the JSON file.
        manifest: of the nominal decks.
    Returns:
        Names of corners that the file held of other decks, or from another ngspice; they are there no longer.
    Raises:
        ResultsError: the file is damaged, or cannot be written.
    """
    decks = content_key([deck_key(manifest.folder / f"{name}.cir") for name in manifest.cases])
    held, known = _held(path, decks)
    made = {row.corner.name: row.as_dict() for row in rows}
    write_json(path, {"subject": manifest.subject, "fidelity": manifest.fidelity, "claim": asdict(CLAIM), "decks": decks,
                      "corners": list((held | made if known else made).values())})
    return [] if known else [name for name in held if name not in made]


def _held(path: Path, decks: str) -> tuple[dict[str, dict], bool]:
    """Rows of an earlier file, by corner, and whether they are of these decks and held against this claim."""
    if not path.is_file():
        return {}, True
    try:
        told = json.loads(path.read_text())
        return {row["name"]: row for row in told["corners"]}, (told.get("decks"), told["claim"]) == (decks, asdict(CLAIM))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path} is damaged ({type(error).__name__}: {error}); delete it and run again, what was simulated "
                           "is not simulated again") from error
