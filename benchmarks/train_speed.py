"""How much slower than its matrix products is a training step of the paper's VAE, and an epoch?

    python benchmarks/train_speed.py [--threads 2]

10,000 sites, 64 latents (10,371,760 parameters), batches of 512, random haplotypes. `step`: unpacking a batch, forward,
loss, backward and fused Adam, beside the five large products such a step cannot do without (encoder and decoder
forward, their weights' gradients, the gradient of the decoder's hidden layer), written into tensors that are there
already. `epoch`: 20,000 packed haplotypes through the training loop, beside as many products. Both take turns.
Appends JSON lines to benchmarks/records/train-speed.jsonl.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from haploom.bench.processes import cpu_name
from haploom.bench.records import append_records
from haploom.models.vae import VAE, VAEConfig
from haploom.panel import Panel, Variants
from haploom.training.config import TrainingConfig
from haploom.training.dataset import PanelDataset
from haploom.training.loop import train_network, weighted
from haploom.training.memory import freed_memory_kept
from haploom.training.processes import single_process
from haploom.training.threads import use_threads

RECORDS = Path(__file__).parent / "records" / "train-speed.jsonl"
SITES, HIDDEN, LATENT, BATCH, ROWS = 10_000, 512, 64, 512, 20_000
WARM_UPS, REPEATS = 3, 12
CPU = torch.device("cpu")


def random_panel(rows: int) -> Panel:
    rng = np.random.default_rng(1)
    column = {name: np.array([text] * SITES, dtype=object) for name, text in
              (("chrom", "1"), ("id", "."), ("ref", "A"), ("alt", "C"))}  # fmt: skip
    variants = Variants(position_bp=np.arange(1, SITES + 1), **column)
    bits = rng.integers(0, 256, (rows, SITES // 8), dtype=np.uint8)
    return Panel(bits, variants, tuple(f"S{person}" for person in range(rows // 2)))


def five_products() -> Callable[[], None]:
    """Encoder and decoder forward, the gradients of their weights, the gradient of the decoder's hidden layer."""
    x, hidden, logits = torch.rand(BATCH, SITES), torch.rand(BATCH, HIDDEN), torch.rand(BATCH, SITES)
    into, out = torch.rand(HIDDEN, SITES), torch.rand(SITES, HIDDEN)
    operands = [(x, into.t()), (hidden, out.t()), (logits.t(), hidden), (logits, out), (hidden.t(), x)]
    results = [torch.empty(left.shape[0], right.shape[1]) for left, right in operands]

    def run() -> None:
        for (left, right), result in zip(operands, results):
            torch.mm(left, right, out=result)

    return run


def training_step(data: PanelDataset) -> Callable[[], None]:
    network = VAE(VAEConfig(n_sites=SITES, n_latent=LATENT))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    rng = np.random.default_rng(1)

    def run() -> None:
        batch = data.batch(rng.integers(0, ROWS, BATCH), CPU)
        optimizer.zero_grad()
        weighted(network(batch, torch.randn(BATCH, LATENT)).losses, {}).backward()
        optimizer.step()

    return run


def epoch(data: PanelDataset, few: PanelDataset) -> None:
    """One epoch of the training loop itself, with validation on a handful of people."""
    config = TrainingConfig(epochs=1, batch_size=BATCH, learning_rate=1e-3, crossovers_per_mb=0)
    train_network(VAE(VAEConfig(n_sites=SITES, n_latent=LATENT)), data, few, config, single_process(CPU))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    use_threads(parser.parse_args().threads)
    data, few = PanelDataset(random_panel(ROWS)), PanelDataset(random_panel(8))
    products, step = five_products(), training_step(data)
    steps = round(ROWS / BATCH)
    for task, ours, theirs, warm_ups, repeats in (
        ("step", step, products, WARM_UPS, REPEATS),
        ("epoch", lambda: epoch(data, few), lambda: [products() for _ in range(steps)], 1, 3),
    ):
        with freed_memory_kept():
            times = [(seconds(theirs), seconds(ours)) for _ in range(warm_ups + repeats)][warm_ups:]
        product_s, ours_s = (statistics.median(column) for column in zip(*times))
        record = {
            "task": f"train-speed/{task}", "batch": BATCH, "sites": SITES, "ratio": round(ours_s / product_s, 3),
            "seconds": round(ours_s, 4), "products_seconds": round(product_s, 4), "repeats": repeats,
            "threads": torch.get_num_threads(), "cpu": cpu_name(), "date": time.strftime("%Y-%m-%d"),
            "torch": torch.__version__,
        }  # fmt: skip
        print(json.dumps(record), flush=True)
        append_records(RECORDS, [record])


if __name__ == "__main__":
    main()
