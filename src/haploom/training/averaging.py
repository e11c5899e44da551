"""A running average of a network's weights: smoother than the last step's, and usually better on new people.

Source: Polyak & Juditsky 1992; exponential, with a short memory at the start.
"""

import copy

import torch

from haploom.models.model import HaplotypeModel


class WeightAverage:
    """Exponential average of weights, and the newest of everything else a network remembers.

    decay: weight of the past at each step, in [0, 1); 0 follows the network. network: holds the average.
    """

    def __init__(self, network: HaplotypeModel, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network) if decay else network
        self.network.requires_grad_(not decay)

    @torch.no_grad()
    def follow(self, network: HaplotypeModel, steps: int) -> None:
        """After step number `steps`, counted from 1."""
        if not self.decay:
            return
        decay = min(self.decay, steps / (steps + 10))
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1 - decay)
        for kept, newest in zip(self.network.buffers(), network.buffers()):
            kept.copy_(newest)
