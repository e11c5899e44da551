"""The networks: equations in torch, their configs, their losses, and their way into a model file.

torch starts here. Nothing in this room trains, reads genotypes or draws.
"""

import os

from haploom.errors import MissingExtraError

# Threads that have nothing to do should sleep. By default they spin, and on a machine that does other work as well
# they then wait for each other: a training of 0.1 s took 4 s with the cores oversubscribed twice.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    raise MissingExtraError("torch", "models", "Training a model, or encoding with one,") from error
