"""Haploom: store, map, classify and simulate genomes with what autoencoders learn from SNP haplotypes.

    import haploom as hl

Everything a person needs is listed here, one function or class a task; each loads what it needs (torch, msprime)
only when it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from haploom.provenance import __version__

if TYPE_CHECKING:
    from haploom.ancestry import classify_panel, compare_classifiers
    from haploom.ancestry.local_ancestry import paint_panel
    from haploom.archive import Archive, open_archive
    from haploom.audit import Audit, AuditSettings, audit_panels
    from haploom.baselines.logistic import SnpLogisticRegression
    from haploom.compression import compress, compress_panel
    from haploom.embedding import embed_panel
    from haploom.embedding.places import locate_panel
    from haploom.errors import HaploomError
    from haploom.imputation import impute_panel
    from haploom.io import (
        Selection,
        iterate_blocks,
        read_dosages,
        read_genetic_map,
        read_panel,
        read_populations,
        write_dosages,
        write_panel,
    )
    from haploom.io.model_file import read_model, write_model
    from haploom.panel import DosagePanel, GeneticMap, Panel, Split, Variants, split_people
    from haploom.popgen.breeding import breed
    from haploom.popgen.coalescent import simulate_panel
    from haploom.popgen.pca import PCA
    from haploom.synthesis import synthesize_panel
    from haploom.training.config import TrainingConfig
    from haploom.training.dataset import dataset
    from haploom.training.estimators import VAE, VQVAE, WindowVAE
    from haploom.training.fit import train_model

_HOME = {
    "PCA": "popgen.pca",
    "VAE": "training.estimators",
    "VQVAE": "training.estimators",
    "Archive": "archive",
    "Audit": "audit",
    "AuditSettings": "audit",
    "DosagePanel": "panel",
    "GeneticMap": "panel",
    "HaploomError": "errors",
    "Panel": "panel",
    "Selection": "io",
    "SnpLogisticRegression": "baselines.logistic",
    "Split": "panel",
    "TrainingConfig": "training.config",
    "Variants": "panel",
    "WindowVAE": "training.estimators",
    "audit_panels": "audit",
    "breed": "popgen.breeding",
    "classify_panel": "ancestry",
    "compare_classifiers": "ancestry",
    "compress": "compression",
    "compress_panel": "compression",
    "dataset": "training.dataset",
    "embed_panel": "embedding",
    "impute_panel": "imputation",
    "iterate_blocks": "io",
    "locate_panel": "embedding.places",
    "open_archive": "archive",
    "paint_panel": "ancestry.local_ancestry",
    "read_dosages": "io",
    "read_genetic_map": "io",
    "read_model": "io.model_file",
    "read_panel": "io",
    "read_populations": "io",
    "simulate_panel": "popgen.coalescent",
    "split_people": "panel",
    "synthesize_panel": "synthesis",
    "train_model": "training.fit",
    "write_dosages": "io",
    "write_model": "io.model_file",
    "write_panel": "io",
}

__all__ = [
    "PCA",
    "VAE",
    "VQVAE",
    "Archive",
    "Audit",
    "AuditSettings",
    "DosagePanel",
    "GeneticMap",
    "HaploomError",
    "Panel",
    "Selection",
    "SnpLogisticRegression",
    "Split",
    "TrainingConfig",
    "Variants",
    "WindowVAE",
    "__version__",
    "audit_panels",
    "breed",
    "classify_panel",
    "compare_classifiers",
    "compress",
    "compress_panel",
    "dataset",
    "embed_panel",
    "impute_panel",
    "iterate_blocks",
    "locate_panel",
    "open_archive",
    "paint_panel",
    "read_dosages",
    "read_genetic_map",
    "read_model",
    "read_panel",
    "read_populations",
    "simulate_panel",
    "split_people",
    "synthesize_panel",
    "train_model",
    "write_dosages",
    "write_model",
    "write_panel",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"haploom.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
