"""The tables of the horizon study, as text cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from cosim.studies.lorenz96.horizon import HorizonSetup, behavioural_spread, smooth_error_spread, torch_spread
from training.checkpoint import load
from training.experiments.lorenz96 import checkpoint_path, reference_seed
from training.experiments.lorenz96_evaluation import truth
from training.experiments.lorenz96_ridges import field_error
from training.ridges import RidgeRecipe, fit_ridges
from training.systems.lorenz96 import TRAINING_SAMPLES, phases

KINKS = (20, 30, 40, 60)
SMOOTH = (0.3, 0.1, 3e-2, 1e-2, 3e-3, 1e-3)  # model units per time unit
BOARDS = ((0.1, False), (0.1, True), (1.0, False), (1.0, True))  # time scale, trim


def starts_table(metrics: dict) -> pd.DataFrame:
    """One row per start, then the median; Lyapunov times."""
    rows = [{"start": str(number),
             **{who: f"{'> ' if start['censored'][who] else ''}{start[who]:.2f}" for who in ("torch", "circuit")}}
            for number, start in enumerate(metrics["starts"], start=1)]
    return pd.DataFrame([*rows, {"start": "median", **{who: f"{value:.2f}" for who, value in metrics["median"].items()}}])


def networks_table(setup: HorizonSetup) -> pd.DataFrame:
    """One row per network: neurons, error of its slopes, valid prediction time in torch."""
    run = truth(setup.system)
    seed = reference_seed(setup.system.name, setup.checkpoints)
    nets = {f"trained by shooting, seed {seed}": load(checkpoint_path(setup.system.name, seed, setup.checkpoints)).net}
    for kinks in KINKS:
        recipe = replace(RidgeRecipe(), kinks=(kinks,))
        nets[f"ridges, {kinks} kinks per direction"] = fit_ridges(
            run.time[:TRAINING_SAMPLES], phases(run.state)[0], recipe).net
    return pd.DataFrame([
        {"network": name, "hidden neurons": " + ".join(str(layer.out_features) for layer in net[:-1:2]),
         "slope error": f"{field_error(net, setup.system):.4f}", "valid prediction": str(torch_spread(setup, net))}
        for name, net in nets.items()])


def smooth_table(setup: HorizonSetup) -> pd.DataFrame:
    """One row per size of a smooth error that is added to the equation itself."""
    return pd.DataFrame([{"slope error": f"{error:g}", "valid prediction": str(smooth_error_spread(setup, error))}
                         for error in SMOOTH])


def boards_table(setup: HorizonSetup, net) -> pd.DataFrame:
    """One row per behavioural board: time scale, trim."""
    return pd.DataFrame(list(_boards(setup, net)))


def _boards(setup: HorizonSetup, net) -> Iterator[dict]:
    for time_scale, trim in BOARDS:
        yield {"circuit s per time unit": f"{time_scale:g}", "trimmed": "yes" if trim else "no",
               "valid prediction": str(behavioural_spread(setup, net, time_scale=time_scale, trim=trim))}
