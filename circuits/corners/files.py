"""From a nominal deck's files to a corner's: the same files, with the corner's figures in the places that hold them.

Nothing is compiled again, so the board keeps the conductances and resistors of the nominal one, and a diff of the two
folders shows what the corner is. A place that is not found is an error, never a corner that changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from circuits.board.testbench import SUPPLY
from circuits.corners.corner import NOMINAL_TEMPERATURE, Corner
from circuits.engine.guard import check_deck
from circuits.errors import CircuitError
from circuits.netlist.deck import write_files
from circuits.netlist.folder_lock import only_writer

TEXT = (".cir", ".inc", ".lib")
_MACRO = re.compile(r"blocks/array_.*_macro\.inc")


def corner_files(files: Mapping[str, str], corner: Corner, macros: Mapping[str, str] | None = None) -> dict[str, str]:
    """Files of a deck, or of a folder of decks, at a corner.

    Args:
        files: relative path -> text, as ``Deck.files()`` gives them; decks end in ``.cir``.
        macros: relative path -> text of the arrays' macromodels at the corner (:func:`circuits.corners.layer.macros_at`):
            wires and transistors are reduced away in them, so that there is no place to change.
    Returns:
        The same paths; of the nominal corner the same texts.
    Raises:
        CircuitError: a file does not hold what the corner changes, the corner changes nothing in this deck, or the deck is
            at a corner already.
    """
    for name, text in files.items():
        if name.endswith(".cir") and (there := corner_of(text)):
            raise CircuitError(f"{name} is at corner {there} already; make corner {corner.name} from the nominal decks")
    if not corner.changes:
        return dict(files)
    macros = macros or {}
    editors: dict[str, Callable[[str, str, Corner], str]] = {
        "parts/opa4990.lib": _offset, "parts/d1n4148.lib": _diode, "parts/nmos_select.lib": _transistor,
        "blocks/cell_1t1r.inc": _wires}
    made = {}
    for name, text in files.items():
        edited = text
        if corner.reaches_arrays and _MACRO.fullmatch(name) and name not in macros:
            raise CircuitError(f"{name} has the nominal wires and transistors reduced away inside; corner {corner.name} needs "
                               "its macromodel made again (circuits.corners.layer)")
        if name in editors or name in macros:
            edited = macros[name] if name in macros else editors[name](name, text, corner)
            if edited != text:
                edited = f"* corner {corner.name}: {corner.reason}\n{edited}"
        elif name.endswith(".cir"):
            edited = _deck(name, text, corner)
        if corner.vos and name not in editors and re.search(r"^x.*\bvos\s*=", text, re.M | re.I):
            raise CircuitError(f"{name} gives an op-amp its own vos, which corner {corner.name} ({corner.vos} V) would not "
                               "reach; make the corner from a deck without offsets")
        made[name] = edited
    if made == files:
        raise CircuitError(f"corner {corner.name} changes {', '.join(corner.changes)}, and none of {', '.join(files)} depends "
                           "on it")
    return {name: _banner(text, corner) if name.endswith(".cir") else text for name, text in made.items()}


def corner_of(text: str) -> str | None:
    """Name of the corner that a deck says it is at; None: of none, a nominal deck."""
    found = re.search(r"^\* corner +(\S+):", text, re.MULTILINE)
    return found[1] if found else None


def write_corner(source: Path, target: Path, corner: Corner, macros: Mapping[str, str] | None = None) -> list[Path]:
    """Write a folder of decks at a corner; manifest, weights and conductances come along, so that the same readers work on it.

    Args:
        source: nominal folder, made by the compiler; a text file that none of its decks includes is left behind.
        target: made if missing; another folder than ``source``.
        macros: as in :func:`corner_files`.
    Returns:
        Paths of the corner's decks, sorted.
    Raises:
        CircuitError: as ``corner_files``; or source holds no deck, or is the target.
    """
    source, target = Path(source), Path(target)
    if source.resolve() == target.resolve():
        raise CircuitError(f"corner {corner.name} would overwrite the nominal decks in {source}; name another folder")
    decks = sorted(source.glob("*.cir"))
    if not decks:
        raise CircuitError(f"{source} holds no .cir deck; compile first")
    included = {file.relative for deck in decks for file in check_deck(deck)}
    files = {name: (source / name).read_text() for name in sorted(included)}
    beside = [path for path in source.glob("*") if path.is_file() and path.suffix not in (*TEXT, ".raw")]
    beside += source.glob("conductances/*.inc")  # no macro deck includes them
    others = {path.relative_to(source).as_posix(): path.read_bytes() for path in sorted(beside)}
    made = {**others, **corner_files(files, corner, macros)}
    with only_writer(target):
        write_files(target, made)
    return [target / deck.name for deck in decks]


def _deck(name: str, text: str, corner: Corner) -> str:
    if corner.supply != 1:
        volts = f"{corner.supply * SUPPLY:g}"
        text = _replace(name, text, corner, r"^(v_cc vcc 0 dc )\S+", rf"\g<1>{volts}", "v_cc vcc 0 dc")
        text = _replace(name, text, corner, r"^(v_ee vee 0 dc )\S+", rf"\g<1>-{volts}", "v_ee vee 0 dc")
        # the select logic is fed from the same rail; its level is the last value of a pwl
        if re.search(r"^v_sel ", text, re.M):
            text = _replace(name, text, corner, rf"^(v_sel .* ){SUPPLY}\)", rf"\g<1>{volts})", f"v_sel up to {SUPPLY}")
    if corner.temperature != NOMINAL_TEMPERATURE:
        card = rf".temp {corner.temperature:g}  ; degC, corner {corner.name}\n\g<0>"
        text = _replace(name, text, corner, r"^\.options .*", card, ".options")
    return text


def _banner(text: str, corner: Corner) -> str:
    title, _, rest = text.partition("\n")
    remark = f"* corner     {corner.name}: {corner.figures}; {corner.reason}; the measures' expectations stay nominal"
    return f"{title}\n{remark}\n{rest}"


def _offset(name: str, text: str, corner: Corner) -> str:
    if not corner.vos:
        return text
    # the default of both variants: every instance that gives no offset of its own takes it
    return _replace(name, text, corner, r"^(\.subckt opa4990.*\bvos=)0(?=\s|$)", rf"\g<1>{corner.vos!r}", "vos=0", count=2)


def _diode(name: str, text: str, corner: Corner) -> str:
    if corner.diode == "b":
        set_b = re.search(r"^\.model d1n4148_b\s+(d\(.*\))$", text, re.M)
        if set_b is None:
            raise CircuitError(f"{name}: corner {corner.name} looked for .model d1n4148_b; the part's file has changed")
        text = _replace(name, text, corner, r"^(\.model d1n4148\s+)d\(.*\)$", rf"\g<1>{set_b[1]}", ".model d1n4148")
    if not corner.diode_drifts:
        text = _replace(name, text, corner, r"^(\.model d1n4148\s+d\(.*)\)$", rf"\g<1> tnom={corner.temperature:g})",
                        ".model d1n4148")
    return text


def _transistor(name: str, text: str, corner: Corner) -> str:
    def card(found: re.Match) -> str:
        vto, kp = float(found[2]) + corner.vto_shift, float(found[3]) * corner.kp_factor
        return f"{found[1]}vto={vto:.6g} kp={kp:.6g}"

    if corner.vto_shift or corner.kp_factor != 1:
        text = _replace(name, text, corner, r"^(\.model nmos_select nmos\(level=1 )vto=(\S+) kp=(\S+)", card,
                        ".model nmos_select with vto and kp")
    if not corner.transistor_drifts:
        text = _replace(name, text, corner, r"^(\.model nmos_select nmos\(.*)\)$", rf"\g<1> tnom={corner.temperature:g})",
                        ".model nmos_select")
    return text


def _wires(name: str, text: str, corner: Corner) -> str:
    if corner.wire_factor == 1:
        return text
    return _replace(name, text, corner, r"^(r_[bs]l \S+ \S+ )(\S+)",
                    lambda found: f"{found[1]}{float(found[2]) * corner.wire_factor:g}", "r_bl and r_sl", count=2)


def _replace(name: str, text: str, corner: Corner, pattern: str, new: str | Callable[[re.Match], str], what: str,
             count: int = 1) -> str:
    text, found = re.subn(pattern, new, text, flags=re.MULTILINE)
    if found != count:
        raise CircuitError(f"{name}: corner {corner.name} looked for {what} and found it {found} times, not {count}; the file "
                           "is not one of ours, or circuits/corners/files.py has to follow it")
    return text
