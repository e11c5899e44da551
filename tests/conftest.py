"""What several test modules share."""

import os
from pathlib import Path

# Small matrices gain nothing from threads, and on a busy machine threads that wait for each other cost minutes.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from haploom.panel import Panel, Split, Variants, split_people

# Kernels compile at their first call, so the first example of a property may take seconds.
settings.register_profile("haploom", deadline=None)
settings.load_profile("haploom")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real genotypes beside the project (HAPLOOM_DATA overrides); skips the test without it."""
    folder = Path(os.environ.get("HAPLOOM_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real genotypes in {folder}; set HAPLOOM_DATA to a folder that has them")
    return folder


@pytest.fixture(scope="session")
def two_populations() -> Panel:
    """60 people of two populations that differ at many of 300 sites, made of a few ancestral haplotypes each."""
    rng = np.random.default_rng(11)
    n_sites, n_people = 300, 60
    ancestors = (rng.random((2, 4, n_sites)) < rng.beta(0.4, 0.4, (2, 1, n_sites))).astype(np.uint8)
    labels = np.repeat(["north", "south"], n_people // 2)
    rows = []
    for label in np.repeat(labels == "south", 2).astype(int):
        switches = np.cumsum(rng.random(n_sites) < 0.02) + rng.integers(4)
        rows.append(ancestors[label, switches % 4, np.arange(n_sites)] ^ (rng.random(n_sites) < 0.01))
    bases = np.array(["A", "C", "G", "T"])
    variants = Variants(
        np.full(n_sites, "22"), np.sort(rng.integers(1, 10**6, n_sites)), np.full(n_sites, "."),
        bases[rng.integers(0, 2, n_sites)], bases[rng.integers(2, 4, n_sites)], {"22": 51304566},
    )  # fmt: skip
    names = [f"P{person:02d}" for person in range(n_people)]
    return Panel.from_alleles(np.stack(rows), variants, names, {"population": labels})


@pytest.fixture(scope="session")
def two_populations_split(two_populations) -> Split:
    return split_people(two_populations.samples, two_populations.labels("population").tolist(), (0.6, 0.2, 0.2))


@pytest.fixture(scope="session")
def small_model(two_populations, two_populations_split, tmp_path_factory) -> Path:
    """A model file trained for a moment on `two_populations`."""
    pytest.importorskip("torch")
    from haploom.io.model_file import write_model
    from haploom.training.config import TrainingConfig
    from haploom.training.fit import train_model

    config = TrainingConfig(epochs=15, batch_size=24)
    trained = train_model(two_populations, two_populations_split, "population", config=config, shape={"n_latent": 4})
    path = tmp_path_factory.mktemp("model") / "small.model"
    write_model(trained.model, path)
    return path
