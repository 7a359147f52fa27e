"""Part macromodels: one subcircuit file a part, and how to find and read them."""

from circuits.parts.part import FOLDER, Part, model_parameters, part_path, read_part, subcircuit_parameters

__all__ = ["FOLDER", "Part", "model_parameters", "part_path", "read_part", "subcircuit_parameters"]
