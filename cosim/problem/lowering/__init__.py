"""From a module as its author wrote it to a chain of affine layers and ReLUs: recorded, lowered exactly, laid in layers."""
