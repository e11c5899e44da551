"""Sums over the processes that share a batch; in one process nothing happens."""

import torch
import torch.distributed as dist
from torch import Tensor


def sharing() -> bool:
    """Whether several processes share each batch."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def sum_over_processes(*tensors: Tensor) -> None:
    """Add up each tensor over processes, in place. Outside of autograd."""
    if sharing():
        for tensor in tensors:
            dist.all_reduce(tensor)


def place_of_rows(n_rows: int, device: torch.device) -> tuple[int, int]:
    """Where this process's rows start in the batch as a whole, and how many rows that has."""
    if not sharing():
        return 0, n_rows
    counts = torch.zeros(dist.get_world_size(), dtype=torch.int64, device=device)
    counts[dist.get_rank()] = n_rows
    dist.all_reduce(counts)
    return int(counts[: dist.get_rank()].sum()), int(counts.sum())
