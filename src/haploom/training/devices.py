"""Where a network runs, from what the person asked for."""

import torch

from haploom.errors import HaploomError


def choose_device(wanted: str) -> torch.device:
    """ "auto" takes CUDA where there is one, else the CPU. Raises HaploomError for a device that is not there."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise HaploomError(f"unknown device {wanted!r}: wanted auto, cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise HaploomError(f"device {wanted!r} is not one that models are trained on: wanted auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise HaploomError(f"device {wanted} was asked for, but torch sees no CUDA here: use --device cpu")
    return device


def precision_for(device: torch.device) -> str:
    """Mixed bfloat16 on CUDA, plain float32 elsewhere."""
    return "bf16-mixed" if device.type == "cuda" else "32-true"
