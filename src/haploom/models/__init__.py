"""The networks: equations in torch, their configs, their losses, and their way into a model file.

torch starts here. Nothing in this room trains, reads genotypes or draws.
"""

from haploom.errors import MissingExtraError

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingExtraError("torch", "models", "Training a model, or encoding with one,") from error
