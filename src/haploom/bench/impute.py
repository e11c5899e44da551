"""Imputation by a model and by its baselines, on the same held-out people with the same sites hidden."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from haploom import provenance
from haploom.baselines.independent_sites import IndependentSites
from haploom.baselines.li_stephens import LiStephens
from haploom.errors import HaploomError
from haploom.imputation import impute_panel
from haploom.io.model_file import file_sha256, panel_at_sites, read_model
from haploom.panel import PARTS, GeneticMap, Panel

FREQUENCY_CLASSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def impute_records(
    task: str, panel: Panel, model: Path, *, genetic_map: GeneticMap | None = None, part: str = "test",
    baselines: bool = True, seed: int = 1, threads: int = 1,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """One record for each way of hiding sites and each method, as it is measured.

    panel: holds the model's people and all of its sites. Hidden, from all people of `part`: every second site, and
    90 % of the sites, drawn by `seed`. Li-Stephens copies from the model's training haplotypes, its rates fitted on
    validation people (with `genetic_map`, else 1 cM per Mb); allele frequencies are those of all training people and of
    those with the same label. `seconds`: imputing; `fit_s`: fitting those rates.

    Raises HaploomError where a part of the model's people is not there, or no site is above 1 % minor-allele frequency.
    """
    trained = read_model(model)
    panel = panel_at_sites(panel, trained)
    parts = {each: panel.select_samples(trained.split.samples(each, panel.samples)) for each in PARTS}
    train, held_out = parts["train"], parts[part]
    maf = train.minor_allele_frequencies()
    if not (maf > FREQUENCY_CLASSES[0]).any():
        raise HaploomError(f"no site is above {FREQUENCY_CLASSES[0]} minor-allele frequency in the training people")
    labels = {part: parts[part].labels(trained.card.label_level, "haplotype") for part in ("train", part)}
    about = {
        "task": task, "model_sha256": file_sha256(model), "sites": panel.n_sites, "people": held_out.n_samples,
        "reference_haplotypes": train.n_haplotypes, "seed": seed, "threads": threads,
        **{key: provenance.record()[key] for key in ("versions", "command")},
    }  # fmt: skip

    alleles = held_out.alleles()
    methods: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        trained.card.kind: lambda typed: impute_panel(held_out.select_sites(typed), trained, 0).dosages()
    }
    fit_s: dict[str, float] = {}
    if baselines:
        frequencies, of_label = IndependentSites(), IndependentSites()
        copying = LiStephens(genetic_map=genetic_map, threads=threads)
        methods |= {
            "Li-Stephens": lambda typed: _people(copying.impute(alleles, typed)),
            "allele frequency": lambda typed: _people(frequencies.impute(alleles, typed)),
            "allele frequency of the label": lambda typed: _people(of_label.impute(alleles, typed, labels[part])),
        }
        frequencies.fit(train)
        of_label.fit(train, labels["train"])
        start = time.perf_counter()
        copying.fit(train, parts["validation"])
        fit_s["Li-Stephens"] = round(time.perf_counter() - start, 2)
    truth = _people(alleles)
    for hidden_name, typed in typed_sites(panel.n_sites, seed).items():
        for method, impute in methods.items():
            start = time.perf_counter()
            dosages = impute(typed)
            seconds = round(time.perf_counter() - start, 2)
            figures = r2_by_frequency(truth[:, ~typed], dosages[:, ~typed], maf[~typed])
            yield {
                "method": method, "hidden": hidden_name, "imputation": figures, "seconds": seconds,
                "fit_s": fit_s.get(method), **about,
            }  # fmt: skip


def typed_sites(n_sites: int, seed: int) -> dict[str, np.ndarray]:
    """Ways to hide sites, by name: bool (n_sites,), True where a site is typed."""
    drawn = np.random.default_rng(seed).permutation(n_sites) < max(1, n_sites // 10)
    return {"every second site": np.arange(n_sites) % 2 == 0, "90 % of the sites": drawn}


def r2_by_frequency(truth: np.ndarray, imputed: np.ndarray, maf: np.ndarray) -> list[dict[str, Any]]:
    """Squared correlation of people's dosages at untyped sites, by class of training minor-allele frequency.

    truth, imputed: (n_people, n_untyped), 0 to 2; maf: (n_untyped,). mean_r2: over the sites that vary among these
    people, 0 where the imputed dosages do not; pooled_r2: one correlation over all people and sites of the class.
    Classes without such a site are left out.
    """
    x, y = (dosages - dosages.mean(axis=0, dtype=np.float64) for dosages in (truth, imputed))
    power = (x**2).sum(axis=0) * (y**2).sum(axis=0)
    moves = np.abs(y).max(axis=0, initial=0) > 1e-5  # less is rounding
    r2 = np.divide((x * y).sum(axis=0) ** 2, power, out=np.zeros(len(maf)), where=moves & (power > 0))
    varies = (x**2).any(axis=0)
    classes = []
    for low, high in pairwise(FREQUENCY_CLASSES):
        chosen = (maf > low) & (maf <= high) & varies
        if not chosen.any():
            continue
        true, guessed = truth[:, chosen].ravel(), imputed[:, chosen].ravel()
        pooled = np.corrcoef(true, guessed)[0, 1] ** 2 if np.ptp(true) > 0 and np.ptp(guessed) > 0 else 0.0
        classes.append(
            {
                "maf": [low, high],
                "sites": int(chosen.sum()),
                "mean_r2": round(float(r2[chosen].mean()), 4),
                "pooled_r2": round(float(pooled), 4),
            }
        )
    return classes


def _people(haplotypes: np.ndarray) -> np.ndarray:
    """Sums over the two haplotypes of each person: float32 (n_people, n_sites)."""
    return haplotypes[0::2].astype(np.float32) + haplotypes[1::2]
