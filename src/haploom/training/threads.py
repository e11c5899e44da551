"""How many threads torch uses."""

import torch


def use_threads(threads: int | None) -> None:
    """Use so many threads from now on; None leaves torch's own choice (all cores, or OMP_NUM_THREADS)."""
    if threads is not None:
        torch.set_num_threads(threads)
