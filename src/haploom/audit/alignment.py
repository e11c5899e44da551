"""Synthetic, training and held-out people at the same sites, written alike."""

import logging

import numpy as np

from haploom.errors import HaploomError, SiteMismatchError
from haploom.panel import Panel, Variants
from haploom.panel.matching import MIN_COVERAGE, match_sites, matched_panel

logger = logging.getLogger(__name__)


def aligned(synthetic: Panel, train: Panel, holdout: Panel, maf: float | None = None) -> tuple[Panel, Panel, Panel]:
    """The three panels at the training people's sites that all have, recoded to their alleles.

    maf: only sites with a minor-allele frequency above it among the training people. Raises HaploomError when a person
    is both learned from and held out, or a panel is empty, SiteMismatchError when the others have less than half of
    the sites; says so in a note when they lack some.
    """
    if both := sorted(set(train.samples) & set(holdout.samples)):
        raise HaploomError(
            f"{len(both)} people are both training and held-out people (the first: {both[0]}): held-out people must "
            "be new. Give files of different people, or --split"
        )
    for name, panel in (("synthetic", synthetic), ("training", train), ("held-out", holdout)):
        if panel.n_samples < 2 or panel.n_sites == 0:
            raise HaploomError(f"the {name} panel has {panel.n_samples} people at {panel.n_sites} sites: wanted two")
    if maf is not None:
        train = train.common(maf)
    wanted = train.variants
    for name, panel in (("synthetic", synthetic), ("held-out", holdout)):
        match = match_sites(wanted, panel.variants)
        n_found, n_wanted = int(match.found.sum()), len(match.columns)
        if not n_found or n_found < MIN_COVERAGE * n_wanted:
            raise SiteMismatchError(
                f"the {name} people have {n_found:,} of the training people's {n_wanted:,} sites "
                f"({wanted.extent()}; theirs: {panel.variants.extent()}): wanted at least half, of the same build and "
                "alleles"
            )
        if n_found < n_wanted:
            logger.warning(
                "%d of the training people's %d sites are not among the %s people's: left out",
                n_wanted - n_found, n_wanted, name,
            )  # fmt: skip
            wanted = wanted.select(match.found)
    if len(wanted) < train.n_sites:
        train = train.select_sites(train.variants.indices_of(wanted))
    synthetic, holdout = (matched_panel(each, match_sites(wanted, each.variants)) for each in (synthetic, holdout))
    return synthetic, train, holdout


def windows_of(wanted: Variants, own: Variants, width: int) -> np.ndarray:
    """The window of each site, where windows are of `width` of a generator's own sites, from its first on.

    wanted: sites that were kept, all of them among `own`; those left out make windows narrower here, and move no
    border. Returns int64 (len(wanted),), from 0, 1 more at each border.
    """
    windows = match_sites(wanted, own).columns // width
    return np.append(0, np.cumsum(windows[1:] != windows[:-1]))
