"""How much slower than its batched products is a training step of the windowed VAE, and than a loop over windows?

    python benchmarks/windowed_speed.py [--threads 1]

10,000 sites, random haplotypes. `step`: forward, loss, backward and fused Adam of the windowed VAE. `products`: the
torch.bmm such a step cannot do without (each layer forward, its weights' gradient, and its input's gradient but for
the first layer), written into tensors that are there already. `loop`: the same step of one small VAE of torch's own
layers for each window. The three take turns; seconds are those of the processor, all threads together, so that other
work on the machine counts less. Appends JSON lines to benchmarks/records/windowed-speed.jsonl.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from haploom.bench.processes import cpu_name
from haploom.bench.records import append_records
from haploom.models.model import Batch
from haploom.models.window_vae import WindowConfig, WindowVAE
from haploom.training.memory import freed_memory_kept
from haploom.training.threads import use_threads

RECORDS = Path(__file__).parent / "records" / "windowed-speed.jsonl"
SITES, WARM_UPS, REPEATS = 10_000, 3, 12
SHAPES = [  # window, hidden, latents of a window, batch
    (20, 32, 4, 64),  # many small windows, where a loop pays for each operation on each of them
    (100, 128, 8, 128),
    (500, 512, 16, 512),
    (2500, 1250, 64, 512),  # the paper's, where there is nothing to gain over a loop
]


def products(config: WindowConfig, batch: int) -> Callable[[], None]:
    """The batched products of one step: (left, right, result) each."""
    n_windows, w, h, q = config.windows.n_windows, config.window, config.hidden[0], config.n_latent
    operands = []
    for place, (n_in, n_out) in enumerate([(w, h), (h, q), (h, q), (q, h), (h, w)]):
        x, weight, y = (torch.rand(n_windows, *shape) for shape in ((batch, n_in), (n_in, n_out), (batch, n_out)))
        operands += [(x, weight), (x.mT, y), *([(y, weight.mT)] if place else [])]
    results = [torch.empty(n_windows, left.shape[1], right.shape[2]) for left, right in operands]

    def run() -> None:
        for (left, right), result in zip(operands, results):
            torch.bmm(left, right, out=result)

    return run


class SmallVAE(nn.Module):
    """The VAE of one window, as one would write it."""

    def __init__(self, w: int, h: int, q: int) -> None:
        super().__init__()
        self.encoder, self.mean, self.log_variance = self.block(w, h), self.block(h, q), self.block(h, q)
        self.decoder, self.output = self.block(q, h), self.block(h, w)

    @staticmethod
    def block(n_in: int, n_out: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        hidden = torch.relu(self.encoder(x))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        logits = self.output(torch.relu(self.decoder(mean + torch.exp(0.5 * log_variance) * noise)))
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
        return (functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl) / len(x)


def loop_over_windows(config: WindowConfig, x: Tensor, noise: Tensor) -> Callable[[], None]:
    members = [SmallVAE(config.window, config.hidden[0], config.n_latent) for _ in range(config.windows.n_windows)]
    optimizer = torch.optim.Adam([p for member in members for p in member.parameters()], lr=1e-3, fused=True)
    parts = list(zip(members, x.split(config.window, dim=1), noise.split(config.n_latent, dim=1)))

    def step() -> None:
        optimizer.zero_grad()
        torch.stack([member(own, own_noise) for member, own, own_noise in parts]).sum().backward()
        optimizer.step()

    return step


def all_at_once(config: WindowConfig, x: Tensor, noise: Tensor) -> Callable[[], None]:
    network = WindowVAE(config)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        torch.stack([nats.mean() for nats in network(Batch(x), noise).losses.values()]).sum().backward()
        optimizer.step()

    return step


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dry-run", action="store_true", help="Print, record nothing.")
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    torch.manual_seed(1)
    for window, hidden, n_latent, batch in SHAPES:
        config = WindowConfig(
            n_sites=SITES, window=window, hidden=(hidden,), decoder_hidden=(hidden,), n_latent=n_latent
        )
        x, noise = torch.randint(0, 2, (batch, SITES)).float(), torch.randn(batch, config.n_latents)
        contestants = (products(config, batch), all_at_once(config, x, noise), loop_over_windows(config, x, noise))
        times = [[seconds(each) for each in contestants] for _ in range(WARM_UPS + REPEATS)][WARM_UPS:]
        products_s, step_s, loop_s = (statistics.median(column) for column in zip(*times))
        record = {
            "task": "windowed-speed", "sites": SITES, "window": window, "hidden": hidden, "n_latent": n_latent,
            "batch": batch,
            "step_by_products": round(step_s / products_s, 3), "loop_by_step": round(loop_s / step_s, 2),
            "median_of_ratios": [round(statistics.median(step / own for own, step, _ in times), 3),
                                 round(statistics.median(loop / step for _, step, loop in times), 2)],
            "step_seconds": round(step_s, 4), "products_seconds": round(products_s, 4),
            "loop_seconds": round(loop_s, 4), "repeats": REPEATS, "threads": torch.get_num_threads(),
            "cpu": cpu_name(), "date": time.strftime("%Y-%m-%d"), "torch": torch.__version__,
        }  # fmt: skip
        print(json.dumps(record), flush=True)
        if not arguments.dry_run:
            append_records(RECORDS, [record])


if __name__ == "__main__":
    with freed_memory_kept():  # as in training
        main()
