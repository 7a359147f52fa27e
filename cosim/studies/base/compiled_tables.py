"""What was compiled, in tables: layers, scales, settings, weights that were not reached."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from circuits.board import nets
from cosim.folder.compiled import CompiledNetwork
from cosim.report.page import Table
from cosim.report.quantity import quantity

MOST_UNREACHED = 12  # that are listed


def compiled_tables(compiled: CompiledNetwork) -> list[Table]:
    """Layers with their resistors, scales of every signal, settings, and the weights that the window did not allow."""
    tables = [Table(frame=_layers(compiled), caption="Layers"), Table(frame=_scales(compiled), caption="Scales"),
              Table(frame=_settings(compiled), caption="Circuit and solver")]
    unreached = [(layer.name, cell) for layer in compiled.manifest.layers for cell in layer.unreached]
    if unreached:
        worst = sorted(unreached, key=lambda item: -abs(item[1].residual))[:MOST_UNREACHED]
        rows = [{"layer": name.replace("_", " "), "output": cell.output, "input": cell.input,
                 "short by": quantity(cell.residual, "S", digits=3)} for name, cell in worst]
        caption = f"Weights that the conductance window does not reach: {len(unreached)}"
        tables.append(Table(frame=pd.DataFrame(rows),
                            caption=caption + (f", the worst {len(worst)}" if len(worst) < len(unreached) else "")))
    return tables


def _layers(compiled: CompiledNetwork) -> pd.DataFrame:
    rows = compiled.to_frame().to_dict("records")
    return pd.DataFrame([{
        "layer": row["layer"].replace("_", " "), "activation": "ReLU" if layer.relu else "linear", "inputs": row["inputs"],
        "outputs": row["outputs"], "bias": "yes" if layer.bias else "no", "arrays": row["arrays"], "cells in use": row["cells"],
        "feedback resistor": quantity(row["r_f"], "ohm"), "weights not reached": row["unreached"],
        "worst residual": quantity(row["worst_residual"], "S", digits=3) if row["unreached"] else "",
    } for row, layer in zip(rows, compiled.board.layers, strict=True)])


def _scales(compiled: CompiledNetwork) -> pd.DataFrame:
    scales = compiled.manifest.scales
    signals = [(nets.external_column(k), value, "") for k, value in enumerate(scales.inputs)]
    signals += _alike(nets.state_column, scales.states, "")
    for k, layer in enumerate(scales.neurons, start=1):
        signals += [(f"hidden layer {k}", float(layer), "")] if not layer.ndim else [
            (f"hidden layer {k}, {which} of a neuron", value, "") for which, value in (("least", float(layer.min())),
                                                                                       ("most", float(layer.max())))]
    signals += _alike(nets.derivative, scales.derivatives, " per (unit / model s)")
    rows = [{"signal": name, "one unit is": f"{quantity(value, 'V')}{per}"} for name, value, per in signals]
    rows += [{"signal": "bias", "one unit is": quantity(scales.bias, "V")},
             {"signal": "time", "one unit is": f"{quantity(scales.time, 's')} of circuit time per model s"}]
    return pd.DataFrame(rows)


def _alike(name, values: Iterable[float], per: str) -> list[tuple[str, float, str]]:
    """One line where all have one value."""
    values = tuple(values)
    if len(values) > 1 and len(set(values)) == 1:
        return [(f"{name(0)} to {name(len(values) - 1)}", values[0], per)]
    return [(name(k), value, per) for k, value in enumerate(values)]


def _settings(compiled: CompiledNetwork) -> pd.DataFrame:
    manifest, board, layer = compiled.manifest, compiled.board, compiled.board.layers[0]
    programming = manifest.programming
    levels = f"{programming.levels} levels" if programming.levels else "analogue"
    wires = f"{quantity(layer.wires.resistance, 'ohm')} and {quantity(layer.wires.capacitance, 'F')} per segment"
    rows = {
        "decks": {"flat": "flat: every cell and wire", "macro": "macro: each array reduced to what is between its pins"}[
            manifest.fidelity],
        **({"corner": manifest.corner} if manifest.corner else {}),
        **({"fitted": manifest.fitted.words(manifest.widths)} if manifest.fitted else {}),
        "integrators": f"{quantity(board.r_in, 'ohm')} and {quantity(board.c_int, 'F')}, time constant "
                       f"{quantity(board.r_in * board.c_int, 's')}"
                       + (f", lead {quantity(board.c_lead, 'F')}" if board.c_lead else ""),
        "initial conditioning": f"{quantity(manifest.start, 's')} before the run",
        "neurons": layer.neuron,
        "conductance window": f"{quantity(manifest.window.g_min, 'S')} to {quantity(manifest.window.g_max, 'S')}",
        "programming": f"{levels}, mean relative error {programming.error:.3g}, yield {programming.cell_yield:.4g}, seed "
                       f"{programming.seed}",
        "wires": f"{wires}; {quantity(layer.r_board, 'ohm')} from a line's trunk to each array of a layer with several",
        "select transistor": f"{quantity(layer.transistor.on_resistance(), 'ohm')} when on",
        "memristors": f"sinh, kappa = {layer.kappa:g} /V" if layer.kappa else "linear in read mode",
        "solver": manifest.solver.options,
        "largest solver step": f"{manifest.max_step:g} model s" if manifest.max_step else "1/2000 of the run",
    }
    return pd.DataFrame(rows.items(), columns=["what", "value"])
