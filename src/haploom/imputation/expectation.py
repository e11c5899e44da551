"""What a network expects of alleles that are not known."""

import torch
from torch import Tensor

from haploom.models.model import Batch, HaplotypeModel


@torch.no_grad()
def expected_copies(network: HaplotypeModel, batch: Batch) -> Tensor:
    """Expected copies of the alternate allele, 0 to the network's ploidy: (n, n_sites); what is called, as it is.

    batch: without labels; a network that needs them is asked under each, and its answers are averaged by how likely
    (by the loss at the mean of the latents) each makes the calls that are there, all labels being as likely before.
    Raises NotImplementedError for a network that gives no probabilities from what is known.
    """
    shares = (
        _share_over_labels(network, batch) if network.config.n_labels else torch.sigmoid(network.reconstruct(batch))
    )
    copies = network.config.ploidy * shares
    return batch.counts if batch.called is None else torch.where(batch.called, batch.counts, copies)


def _share_over_labels(network: HaplotypeModel, batch: Batch) -> Tensor:
    n_rows, n_labels = len(batch.counts), network.config.n_labels
    nats, shares = [], []
    for label in range(n_labels):
        labelled = batch._replace(labels=torch.full((n_rows,), label))
        shares.append(torch.sigmoid(network.reconstruct(labelled)))
        nats.append(torch.stack(list(network(labelled).losses.values())).sum(dim=0))
    weights = torch.softmax(-torch.stack(nats), dim=0)
    return torch.einsum("ln,lns->ns", weights, torch.stack(shares))
