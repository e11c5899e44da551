"""How well a model that is told the label rebuilds each row under each of its labels.

Source: Geleta et al. 2026, Eq. 13 (L1) and 14 (maximum a posteriori under a uniform prior).
"""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import torch
from torch.nn import functional

from haploom.models.model import Batch, HaplotypeModel

LEAST_LOG = -100.0  # the paper's clamp: one sure mistake counts no more than this
TEMPERATURES = np.geomspace(1e-3, 1.0, 61)


@torch.no_grad()
def label_scores(network: HaplotypeModel, batches: Iterable[Batch]) -> tuple[np.ndarray, np.ndarray]:
    """(nats, differences): minus the loss of each row rebuilt under each label, and how many alleles differ.

    Both float64 (n_rows, n_labels): sums over the called sites of x log o + (n - x) log(1 - o), logs no less than
    LEAST_LOG, and of |x - x^|, n the row's ploidy and x^ the count nearest to n o. Rows go through the mean of their
    latents. The network is put in evaluation mode for it.
    """
    was_training, ploidy = network.training, network.config.ploidy
    network.eval()
    coder = cast(Any, network)  # a C-VAE or a Y-VAE
    nats, differences = [], []
    for batch in batches:
        of_label: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        for label in range(network.config.n_labels):
            labels = torch.full((len(batch.counts),), label, dtype=torch.int64, device=batch.counts.device)
            told = Batch(batch.counts, batch.called, labels)
            logits = coder.decode(coder.encode(told)[0], labels).double()
            x = batch.counts.double()
            log_o, log_not = (functional.logsigmoid(each).clamp(min=LEAST_LOG) for each in (logits, -logits))
            counted = torch.ones_like(x) if batch.called is None else batch.called.expand_as(x).double()
            of_label[0].append(((x * log_o + (ploidy - x) * log_not) * counted).sum(dim=1))
            rebuilt = (torch.sigmoid(logits) * ploidy).round() if ploidy > 1 else (logits > 0).double()
            of_label[1].append(((x - rebuilt).abs() * counted).sum(dim=1))
        nats.append(torch.stack(of_label[0], dim=1).cpu().numpy())
        differences.append(torch.stack(of_label[1], dim=1).cpu().numpy())
    network.train(was_training)
    return np.concatenate(nats), np.concatenate(differences)


def fit_temperature(nats: np.ndarray, labels: np.ndarray) -> float:
    """What to multiply nats (n, n_labels) by so that their softmax makes the labels, int64 (n,), likeliest.

    Sites are not independent given the label, so nats as they are would be far too sure.
    """
    rows = np.arange(len(labels))

    def loss(temperature: float) -> float:
        scaled = temperature * nats
        return float((np.logaddexp.reduce(scaled, axis=1) - scaled[rows, labels]).mean())

    return float(min(TEMPERATURES, key=loss))
