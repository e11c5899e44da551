"""What `haploom entropy` finds out and writes: how much populations vary, site by site and in windows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haploom import progress
from haploom.errors import HaploomError
from haploom.panel import Panel, windows
from haploom.popgen.differentiation import PopulationCounts, fst_matrix, population_counts
from haploom.popgen.diversity import expected_heterozygosity, observed_heterozygosity
from haploom.popgen.entropy import BOOTSTRAP_DRAWS, BOOTSTRAP_HAPLOTYPES, population_entropies
from haploom.popgen.haplotype_windows import PAPER_WIDTHS, WindowCounts, choose_window, haplotype_windows
from haploom.popgen.intervals import Estimate, mean_over_sites
from haploom.popgen.populations import map_in_threads, population_rows
from haploom.popgen.spectra import allele_spectrum, folded_by_percent, folded_spectrum
from haploom.report import plots, plots_statistics
from haploom.report.result_folder import ResultFolder

EVERYBODY = "(all)"
_BLOCK_SITES = 8192
TABLES = (
    "entropy.tsv", "differences.tsv", "site_entropy.tsv", "entropy.bedgraph", "windows.tsv", "spectrum.tsv",
    "spectrum_folded.tsv", "spectrum_percent.tsv", "fst.tsv",
)  # fmt: skip
DRAWINGS = ("entropy", "entropy_density", "windows", "spectrum")


@dataclass(frozen=True, kw_only=True)
class EntropySettings:
    """What `haploom entropy` can be asked for; see `popgen.entropy.bootstrap_site_entropy`."""

    n_haplotypes: int = BOOTSTRAP_HAPLOTYPES
    n_draws: int = BOOTSTRAP_DRAWS
    order: float | None = None
    bias_correction: bool = False
    widths: Sequence[int] = PAPER_WIDTHS
    seed: int = 1
    threads: int = 1

    @property
    def unit(self) -> str:
        return "bits" if self.order is None else f"Tsallis, order {self.order:g}"


@dataclass(frozen=True, eq=False)
class PopulationVariation:
    """Everything by population, in sorted order of their names.

    entropy: population -> float64 (n_sites,). mean: of it, with an interval. counts: alternate alleles. expected,
    observed: mean heterozygosity. windows: population -> width -> counts; everybody: the same of all haplotypes
    together; widths above the number of sites are left out.
    """

    entropy: dict[str, np.ndarray]
    mean: dict[str, Estimate]
    counts: PopulationCounts
    expected: dict[str, Estimate]
    observed: dict[str, float]
    windows: dict[str, dict[int, WindowCounts]]
    everybody: dict[int, WindowCounts]
    settings: EntropySettings

    @property
    def ranking(self) -> list[str]:
        """Populations from the highest mean entropy to the lowest."""
        return sorted(self.mean, key=lambda label: -self.mean[label].value)

    @property
    def chosen_window(self) -> int | None:
        """The paper's choice of width for everybody together; None with fewer than two widths."""
        if len(self.everybody) < 2:
            return None
        return choose_window(list(self.everybody), _mean_entropies(self.everybody))

    def differences(self) -> Iterator[tuple[str, str, Estimate]]:
        """Every pair, the higher one first, with the mean difference over the sites both share and its interval."""
        ranking = self.ranking
        for place, more in enumerate(ranking):
            for less in ranking[place + 1 :]:
                yield more, less, mean_over_sites(self.entropy[more] - self.entropy[less])


def measure_variation(panel: Panel, level: str, settings: EntropySettings) -> PopulationVariation:
    """Measure each population of a label level.

    Raises HaploomError for an unknown level, and where there are no sites or no people.
    """
    require_variation(panel)
    rows = {label: rows for label, rows in sorted(population_rows(panel, level).items())}
    entropy = population_entropies(
        panel, level, settings.n_haplotypes, settings.n_draws, settings.seed, order=settings.order,
        bias_correction=settings.bias_correction,
    )  # fmt: skip
    entropy = {label: entropy[label] for label in rows}
    counts = population_counts(panel, level)
    of_label = {label: (counts.alternate[i], int(counts.n_haplotypes[i])) for i, label in enumerate(counts.labels)}
    widths = [width for width in sorted(set(settings.widths)) if width <= panel.n_sites]
    everybody = haplotype_windows(panel, np.arange(panel.n_haplotypes), widths)
    with progress.task("Counting distinct haplotypes", len(rows)) as advance:
        of_populations = map_in_threads(
            lambda label: haplotype_windows(panel, rows[label], widths), rows, settings.threads, advance
        )
    return PopulationVariation(
        entropy=entropy,
        mean={label: mean_over_sites(values) for label, values in entropy.items()},
        counts=counts,
        expected={label: mean_over_sites(expected_heterozygosity(*of_label[label])) for label in rows},
        observed={label: float(observed_heterozygosity(panel, of).mean()) for label, of in rows.items()},
        windows=of_populations,
        everybody=everybody,
        settings=settings,
    )


def require_variation(panel: Panel) -> None:
    """Raise HaploomError where there is nothing to measure."""
    if panel.n_sites == 0 or panel.n_haplotypes == 0:
        raise HaploomError(
            f"there is nothing to measure: {panel.n_sites} sites of {panel.n_samples} people are left; choose other "
            "people (-s, --split) or sites (-r, --sites, --maf)"
        )


def write_variation(found: PopulationVariation, panel: Panel, folder: ResultFolder) -> None:
    """Write TABLES and DRAWINGS."""
    _write_entropies(found, folder)
    _write_sites(found, panel, folder)
    _write_windows(found, folder)
    _write_spectra(found, folder)
    by_name = np.argsort(found.counts.labels)
    labels, fst = np.array(found.counts.labels)[by_name].tolist(), fst_matrix(found.counts)[np.ix_(by_name, by_name)]
    folder.write_table("fst.tsv", ["population", *labels], ([label, *row] for label, row in zip(labels, fst)))


def _write_entropies(found: PopulationVariation, folder: ResultFolder) -> None:
    order = list(found.entropy)
    n_haplotypes = dict(zip(found.counts.labels, found.counts.n_haplotypes.tolist()))
    varies = {
        label: int(((alternate > 0) & (alternate < n)).sum())
        for label, alternate, n in zip(found.counts.labels, found.counts.alternate, found.counts.n_haplotypes)
    }
    name = "entropy_bits" if found.settings.order is None else f"tsallis_{found.settings.order:g}"
    folder.write_table(
        "entropy.tsv",
        ["population", "haplotypes", "variable_sites", name, f"{name}_low", f"{name}_high",
         "expected_heterozygosity", "expected_low", "expected_high", "observed_heterozygosity"],
        ([label, n_haplotypes[label], varies[label], *found.mean[label], *found.expected[label], found.observed[label]]
         for label in found.ranking),
    )  # fmt: skip
    folder.write_table(
        "differences.tsv", ["more", "less", "difference", "low", "high"],
        ([more, less, *difference] for more, less, difference in found.differences()),
    )  # fmt: skip
    value, low, high = np.array([found.mean[label] for label in order]).T
    folder.draw(
        "entropy",
        lambda ax: plots.entropy_by_population(ax, order, value, low, high, [n_haplotypes[label] for label in order]),
        len(order),
    )
    folder.draw(
        "entropy_density",
        lambda ax: plots_statistics.entropy_density(ax, found.entropy, found.settings.unit),
        len(order),
    )


def _write_sites(found: PopulationVariation, panel: Panel, folder: ResultFolder) -> None:
    columns = ["chrom", "pos", "ref", "alt", *found.entropy]
    folder.write_table("site_entropy.tsv", columns, _site_rows(found, panel))
    folder.write_lines("entropy.bedgraph", _bedgraph(found, panel))


def _site_rows(found: PopulationVariation, panel: Panel) -> Iterator[list[str]]:
    """A row a site, made a block of sites at a time: as text they take a hundred times what they take as bits."""
    for block in windows(panel.n_sites, _BLOCK_SITES):
        sites = panel.variants.select(block)
        values = zip(*(entropy[block].tolist() for entropy in found.entropy.values()))
        for chrom, position, ref, alt, of_site in zip(
            sites.chrom.tolist(), sites.position_bp.tolist(), sites.ref.tolist(), sites.alt.tolist(), values
        ):
            yield [chrom, str(position), ref, alt, *(f"{value:.4f}" for value in of_site)]


def _bedgraph(found: PopulationVariation, panel: Panel) -> Iterator[str]:
    """A track a population: 0-based positions, each once, with the mean entropy of the sites there."""
    chrom, position = panel.variants.chrom, panel.variants.position_bp
    first = np.flatnonzero(np.append(True, (chrom[1:] != chrom[:-1]) | (np.diff(position) > 0)))
    n_sites = np.diff(np.append(first, len(position)))
    for label, entropy in found.entropy.items():
        name = label.replace('"', "'")
        yield f'track type=bedGraph name="{name}" description="Site entropy of {name} ({found.settings.unit})"'
        means = np.add.reduceat(entropy, first) / n_sites
        for block in windows(len(first), _BLOCK_SITES):
            at = first[block]
            for contig, place, mean in zip(chrom[at].tolist(), position[at].tolist(), means[block].tolist()):
                yield f"{contig}\t{place - 1}\t{place}\t{mean:.4f}"


def _write_windows(found: PopulationVariation, folder: ResultFolder) -> None:
    columns = ["population", "width_sites", "windows", "entropy_bits", "distinct_haplotypes", "haplotype_diversity"]
    rows = []
    for label, by_width in [(EVERYBODY, found.everybody), *found.windows.items()]:
        for width, each in by_width.items():
            means = (each.mean_of_full(values) for values in (each.entropy_bits, each.n_distinct, each.diversity))
            rows.append([label, width, len(each.start), *means])
    folder.write_table("windows.tsv", columns, rows)
    folder.draw(
        "windows",
        lambda ax: plots_statistics.window_entropy(
            ax, list(found.everybody), {label: _mean_entropies(counts) for label, counts in found.windows.items()},
            _mean_entropies(found.everybody), found.chosen_window,
        ),
        len(found.windows),
    )  # fmt: skip


def _mean_entropies(by_width: Mapping[int, WindowCounts]) -> list[float]:
    return [each.mean_of_full(each.entropy_bits) for each in by_width.values()]


def _write_spectra(found: PopulationVariation, folder: ResultFolder) -> None:
    of_label = {
        label: (found.counts.alternate[place], int(found.counts.n_haplotypes[place]))
        for place, label in sorted(enumerate(found.counts.labels), key=lambda item: item[1])
    }
    for name, spectrum, column in (
        ("spectrum.tsv", allele_spectrum, "alternate_copies"),
        ("spectrum_folded.tsv", folded_spectrum, "minor_copies"),
    ):
        rows = (
            [label, copies, sites]
            for label, counted in of_label.items()
            for copies, sites in enumerate(spectrum(*counted).tolist())
        )
        folder.write_table(name, ["population", column, "sites"], rows)
    percent = {label: folded_by_percent(*counted) for label, counted in of_label.items()}
    folder.write_table(
        "spectrum_percent.tsv", ["minor_allele_percent", *percent],
        ([place + 1, *(sites[place] for sites in percent.values())] for place in range(50)),
    )  # fmt: skip
    folder.draw("spectrum", lambda ax: plots_statistics.folded_spectra(ax, percent), len(percent))
