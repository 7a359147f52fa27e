"""The exception tree of the training room."""


class TrainingError(Exception):
    """Anything that the training room refuses or fails to do."""


class StimulusError(TrainingError):
    """A stimulus with parameters that describe no waveform."""


class PhysicsError(TrainingError):
    """A physical system with parameters outside its model's validity, or a state that left it."""


class ModelError(TrainingError):
    """A network of the wrong shape or layer type, or inputs that do not fit it."""


class SolverError(TrainingError):
    """An integration that stopped early or left the finite numbers."""


class CheckpointError(TrainingError):
    """A checkpoint that is missing, damaged, inconsistent or could not be written."""


class RecordingError(TrainingError):
    """A recording of a device from which no twin can be fitted, or a file that holds none."""


class TwinError(TrainingError):
    """A twin that is asked for what it was not fitted for: another number of inputs, an input outside its range."""


class TaskError(TrainingError):
    """A task whose data are missing, damaged or of another layout, or that is asked for what it does not have."""
