"""What `haploom ld` finds out and writes: how linkage disequilibrium falls with distance in each population."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from haploom import progress
from haploom.errors import HaploomError
from haploom.panel import GeneticMap, Panel
from haploom.panel.variants import matching_contig
from haploom.popgen.information import STRIDES, information_by_stride, reference_sites
from haploom.popgen.linkage import (
    MAX_BP,
    MAX_CM,
    MAX_PAIRS,
    MAX_SITES,
    MIN_MAF,
    Decay,
    contig_ends,
    correlation_profile,
    distance_scales,
    ld_decay,
)
from haploom.popgen.populations import map_in_threads, population_rows
from haploom.popgen.site_bits import SiteBits
from haploom.report import plots_statistics
from haploom.report.entropy_report import require_variation
from haploom.report.result_folder import ResultFolder

TABLES = ("decay.tsv", "profile.tsv", "information.tsv")
DRAWINGS = ("decay_sites", "decay_bp", "decay_cm", "profile", "information")


@dataclass(frozen=True, kw_only=True)
class LinkageSettings:
    """What `haploom ld` can be asked for; see `popgen.linkage`. site: (contig, position) of the profile's site."""

    min_maf: float = MIN_MAF
    max_sites: int = MAX_SITES
    max_bp: int = MAX_BP
    max_cm: float = MAX_CM
    max_pairs: int = MAX_PAIRS
    site: tuple[str, int] | None = None
    threads: int = 1


@dataclass(frozen=True, eq=False)
class PopulationLinkage:
    """Everything by population, in sorted order of their names.

    decay: population -> scale ("sites", "bp", "cm") -> LD by distance. profile: r of one site, `profile_site`, with
    those that follow. information: bits, (len(STRIDES), n_steps).
    """

    n_haplotypes: dict[str, int]
    decay: dict[str, dict[str, Decay]]
    profile_site: int
    profile: dict[str, np.ndarray]
    information: dict[str, np.ndarray]

    def half_kb(self, label: str) -> float:
        """Distance in kb at which mean r^2 has fallen to half of that of the nearest sites; NaN where it does not."""
        decay = self.decay[label]["bp"]
        known = np.isfinite(decay.mean_r2)
        distance, r2 = decay.mean_distance[known], decay.mean_r2[known]
        below = np.flatnonzero(r2[1:] <= r2[:1] / 2)
        if len(below) == 0:
            return float("nan")
        around = slice(below[0], below[0] + 2)
        return float(np.interp(-r2[0] / 2, -r2[around], distance[around])) / 1000


def measure_linkage(
    panel: Panel, level: str, settings: LinkageSettings, genetic_maps: Mapping[str, GeneticMap] | None = None
) -> PopulationLinkage:
    """Measure each population of a label level.

    Raises HaploomError for an unknown level, a panel without sites, and a profile's site that is not in the panel.
    """
    rows = {label: rows for label, rows in sorted(population_rows(panel, level).items())}
    require_variation(panel)
    site, ends = _profile_site(panel, settings), contig_ends(panel.variants)
    n_following = min(settings.max_sites, int(ends[site]) - site - 1)
    scales = distance_scales(
        panel.variants, genetic_maps, settings.max_sites, settings.max_bp, settings.max_cm
    )  # fmt: skip

    def measure(label: str) -> tuple[dict[str, Decay], np.ndarray, np.ndarray]:
        sites = SiteBits.of(panel, rows[label])
        return (
            ld_decay(sites, scales, settings.min_maf, settings.max_pairs),
            correlation_profile(sites, site, n_following),
            information_by_stride(sites, reference_sites(sites, settings.min_maf), ends),
        )

    with progress.task("Comparing sites", len(rows)) as advance:
        measured = map_in_threads(measure, rows, settings.threads, advance)
    return PopulationLinkage(
        n_haplotypes={label: len(of) for label, of in rows.items()},
        decay={label: decay for label, (decay, _, _) in measured.items()},
        profile_site=site,
        profile={label: profile for label, (_, profile, _) in measured.items()},
        information={label: information for label, (_, _, information) in measured.items()},
    )


def _profile_site(panel: Panel, settings: LinkageSettings) -> int:
    """The site asked for, or the first common one that is past a third of the panel."""
    if settings.site is not None:
        contig, position = settings.site
        chrom = np.array(panel.variants.chrom.tolist())
        found = np.flatnonzero(
            (chrom == matching_contig(contig, panel.variants.contigs())) & (panel.variants.position_bp == position)
        )
        if len(found) == 0:
            raise HaploomError(
                f"there is no site at {contig}:{position} among the {panel.variants.extent()}: choose another --site"
            )
        return int(found[0])
    # Common in everybody, so that it can be linked to something in most populations.
    common = np.flatnonzero(panel.minor_allele_frequencies() > 0.2)
    later = common[common >= panel.n_sites // 3]
    return int(later[0]) if len(later) else 0


def write_linkage(found: PopulationLinkage, panel: Panel, folder: ResultFolder) -> None:
    """Write TABLES and DRAWINGS."""
    folder.write_table(
        "decay.tsv",
        ["population", "haplotypes", "unit", "from", "to", "pairs", "mean_distance", "mean_r2", "mean_abs_r"],
        (
            [label, found.n_haplotypes[label], scale, *row]
            for label, scales in found.decay.items()
            for scale, decay in scales.items()
            for row in zip(decay.from_, decay.to, decay.n_pairs, decay.mean_distance, decay.mean_r2, decay.mean_abs_r)
        ),
    )
    for scale in next(iter(found.decay.values())):
        curves = {
            label: (scales[scale].mean_distance, scales[scale].mean_r2, int(scales[scale].n_pairs.sum()))
            for label, scales in found.decay.items()
        }
        folder.draw(f"decay_{scale}", partial(plots_statistics.ld_decay, scale=scale, curves=curves), len(curves))
    _write_profile(found, panel, folder)
    _write_information(found, folder)


def _write_profile(found: PopulationLinkage, panel: Panel, folder: ResultFolder) -> None:
    site = found.profile_site
    n_following = len(next(iter(found.profile.values())))
    keys, position_bp = panel.variants.site_keys(), panel.variants.position_bp
    following = range(site + 1, site + 1 + n_following)
    folder.write_table(
        "profile.tsv",
        ["site", "other", "distance_sites", "distance_bp", *(f"r_{label}" for label in found.profile)],
        (
            [keys[site], keys[other], other - site, position_bp[other] - position_bp[site],
             *(r[other - site - 1] for r in found.profile.values())]
            for other in following
        ),
    )  # fmt: skip
    folder.draw(
        "profile",
        lambda ax: plots_statistics.correlation_profile(
            ax, keys[site], position_bp[following.start : following.stop], found.profile
        ),
        len(found.profile),
    )


def _write_information(found: PopulationLinkage, folder: ResultFolder) -> None:
    folder.write_table(
        "information.tsv",
        ["population", "stride", "step", "distance_sites", "mutual_information_bits"],
        (
            [label, stride, step, stride * step, value]
            for label, information in found.information.items()
            for stride, of_stride in zip(STRIDES, information)
            for step, value in enumerate(of_stride, 1)
        ),
    )
    # Each population counts the same; pooled people would show their differences in allele frequency as well.
    stacked = np.stack(list(found.information.values()))
    known = np.isfinite(stacked).sum(axis=0)
    mean = np.divide(np.nansum(stacked, axis=0), known, out=np.full(known.shape, np.nan), where=known > 0)
    folder.draw("information", lambda ax: plots_statistics.information_by_stride(ax, mean, STRIDES), 1)
