"""Picture: golden curve with its band, the new curve, and their difference with the places outside the band marked."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from cosim.golden.deviation import Deviation
from cosim.golden.signals import SCALE_UNITS, unit_of
from cosim.store.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_VECTORS = 6  # that are drawn, those that are furthest outside
GOLDEN = {"color": "0.25", "linewidth": 1.4, "label": "golden"}
BAND = {"color": "#9ec5e8", "alpha": 0.7, "linewidth": 0, "label": "band"}
NEW = {"color": "#0b5fa5", "linewidth": 1.6, "linestyle": (0, (4, 1.5)), "label": "this run"}
OUTSIDE = "#c92a2a"
LEAST_MARGIN = 6  # rows on each side of a closer look
MOST_ZOOM = 0.4  # of the scale, in a closer look
MOST_HEIGHT = 8  # of the worst difference, from the golden curve's lowest to its highest point in a closer look
CLOSE_TICKS = 4
NARROWEST_MARK = 0.003  # of the width drawn
STYLE = {"font.size": 9.5, "axes.grid": True, "grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False,
         "legend.frameon": False, "axes.titlesize": 9.5, "axes.titlelocation": "left"}


def draw_picture(path: Path, deviations: Sequence[Deviation], title: str) -> Path:
    """Write a PNG of the vectors that are outside their bands; no setting of matplotlib is changed.

    Raises:
        ResultsError: the file cannot be written.
    """
    failed = sorted((item for item in deviations if item.outside.any()), key=lambda item: -item.share_used)
    with matplotlib.style.context(["default", STYLE]):
        content = BytesIO()
        FigureCanvasAgg(_figure(failed[:MOST_VECTORS], title, len(failed))).print_png(content, metadata={"Software": None})
    write_atomically(path, content.getvalue())
    return path


def _figure(deviations: Sequence[Deviation], title: str, n_failed: int) -> Figure:
    zooms = [_zoom(item) for item in deviations]
    columns = 2 if any(zooms) else 1
    figure = Figure(figsize=(12 if columns == 2 else 9, 1.0 + 4.2 * len(deviations)), dpi=110, layout="constrained")
    grid = figure.add_gridspec(2 * len(deviations), columns, height_ratios=(2, 1.15) * len(deviations),
                               width_ratios=(1.7, 1)[:columns])
    for number, (item, zoom) in enumerate(zip(deviations, zooms, strict=True)):
        whole = slice(0, 1) if zoom else slice(None)
        _pair(figure, item, (grid[2 * number, whole], grid[2 * number + 1, whole]), None)
        if zoom:
            _pair(figure, item, (grid[2 * number, 1], grid[2 * number + 1, 1]), zoom)
    shown = f" (the worst {len(deviations)} are drawn)" if n_failed > len(deviations) else ""
    figure.suptitle(f"{title}{shown}", x=0.01, ha="left", fontsize=11, fontweight="bold")
    outside, *curves = figure.axes[0].get_legend_handles_labels()[0]
    figure.legend(handles=[*curves, outside], loc="outside lower center", ncols=4)
    return figure


def _pair(figure: Figure, item: Deviation, places: tuple, zoom: tuple[int, int] | None) -> None:
    top = figure.add_subplot(places[0])
    bottom = figure.add_subplot(places[1], sharex=top)
    first, last = zoom or (0, len(item.scale) - 1)
    rows = slice(first, last + 1)
    scale, golden, run = item.scale[rows], item.golden[rows], item.run[rows]
    dots = {"marker": ".", "markersize": 4} if last - first < 60 else {}
    for axis in (top, bottom):
        if item.is_logarithmic and not zoom:
            axis.set_xscale("log")
        _mark(axis, item, scale[0], scale[-1])
    top.fill_between(scale, golden - item.half_width, golden + item.half_width, **BAND)
    top.plot(scale, golden, **GOLDEN)
    top.plot(scale, run, **NEW, **dots)
    bottom.axhspan(-item.half_width, item.half_width, **BAND)
    bottom.axhline(0, color=GOLDEN["color"], linewidth=0.8)
    bottom.plot(scale, item.difference[rows], color=NEW["color"], linewidth=1.2, **dots)
    at, off = item.scale[item.worst], item.difference[item.worst]
    bottom.plot([at], [off], "o", color=OUTSIDE, markersize=6, markerfacecolor="none", markeredgewidth=1.4, clip_on=False)
    unit = unit_of(item.name)
    for axis in (top, bottom):
        if unit in ("V", "A"):
            axis.yaxis.set_major_formatter(EngFormatter(unit))
        axis.set_xlim(scale[0], scale[-1])
        axis.margins(y=0.12)
    if zoom:
        bottom.xaxis.set_major_locator(MaxNLocator(CLOSE_TICKS))
    bottom.xaxis.set_major_formatter(EngFormatter(SCALE_UNITS.get(item.scale_name, "")))
    top.tick_params(labelbottom=False)
    bottom.set_xlabel(item.scale_name)
    if zoom:
        top.set_title("closer, around the worst place")
        return
    top.set_ylabel(f"{item.name} [{unit}]" if unit in ("dB", "deg") else item.name)
    bottom.set_ylabel("this run − golden" + (f" [{unit}]" if unit in ("dB", "deg") else ""))
    top.set_title(f"{item.name}: band ±{item.value(item.half_width, digits=4)}, {item.origin}")
    bottom.set_title(f"worst: {item.value(off, '+', digits=4)} at {item.point(item.worst)}; outside for "
                     f"{100 * item.share_outside():.3g} % of the {item.scale_name}", color=OUTSIDE)


def _mark(axis: Axes, item: Deviation, first: float, last: float) -> None:
    """Shade the places outside the band, each row for half the way to its neighbours and none too narrow to see."""
    x = item.axis
    edges = np.concatenate([x[:1], (x[1:] + x[:-1]) / 2, x[-1:]])
    low, high = (np.log10([first, last]) if item.is_logarithmic else (first, last))
    least = NARROWEST_MARK * (high - low)
    spans = []
    for begin, end in item.stretches:
        left, right = edges[begin], edges[end + 1]
        more = max(0.0, least - (right - left)) / 2
        spans.append((left - more, right + more))
    ends = np.array(spans)
    if item.is_logarithmic:
        ends = 10**ends
    bars = np.column_stack([ends[:, 0], np.diff(ends)[:, 0]])
    axis.broken_barh(bars, (0, 1), transform=axis.get_xaxis_transform(), color=OUTSIDE, alpha=0.16, linewidth=0,
                     label="outside the band")


def _zoom(item: Deviation) -> tuple[int, int] | None:
    """First and last row of a closer look: the worst stretch, narrowed until the difference can be seen beside the curve.

    None where so few rows are left that the whole picture shows as much.
    """
    worst, x = item.worst, item.axis
    first, last = next((begin, end) for begin, end in item.stretches if begin <= worst <= end)
    margin = max(LEAST_MARGIN, last - first + 1)
    first, last = max(0, first - margin), min(len(x) - 1, last + margin)
    width, height = MOST_ZOOM * (x[-1] - x[0]), MOST_HEIGHT * abs(item.difference[worst])
    while last - first > 2 * LEAST_MARGIN and (
            x[last] - x[first] > width or np.ptp(item.golden[first:last + 1]) > height):
        first += ceil((worst - first) / 5)
        last -= ceil((last - worst) / 5)
    return (first, last) if x[last] - x[first] <= width else None
