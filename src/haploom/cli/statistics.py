"""`haploom entropy` and `haploom ld`: how much populations vary, and how sites go together."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from haploom.cli.frame import (
    default_threads,
    force_option,
    genotypes,
    json_option,
    map_option,
    output_option,
    print_result,
    quiet_option,
    seed_option,
    selection_options,
    threads_option,
)

if TYPE_CHECKING:
    from haploom.io import Selection


class Widths(click.ParamType):
    """Numbers of sites, separated by commas."""

    name = "sites,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        try:
            widths = tuple(int(width) for width in str(value).split(","))
        except ValueError:
            widths = ()
        if not widths or min(widths) < 1:
            self.fail(f"{value!r}: wanted whole numbers above 0 separated by commas, such as 50,500,2500", param, ctx)
        return widths


class Site(click.ParamType):
    """A contig and a position."""

    name = "CHROM:POS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        contig, _, position = str(value).rpartition(":")
        if not contig or not position.isdecimal():
            self.fail(f"{value!r}: wanted a contig and a position, such as 22:16050408", param, ctx)
        return contig, int(position)


folder_option = output_option("Folder for the tables and figures; it may exist.")
plots_option = click.option("--plots/--no-plots", default=True, show_default=True, help="Draw figures (PNG and PDF).")


@click.command()
@genotypes()
@folder_option
@selection_options
@click.option(
    "--haplotypes", type=click.IntRange(2), default=32, show_default=True, help="Haplotypes in a draw; the same in all."
)
@click.option("--draws", type=click.IntRange(1), default=50, show_default=True, help="Draws from each population.")
@click.option(
    "--order", type=click.FloatRange(0, min_open=True), help="Tsallis entropy of this order, instead of Shannon's."
)
@click.option("--bias-correction", is_flag=True, help="Correct for the size of a draw (Miller-Madow).")
@click.option(
    "--windows", type=Widths(), default="50,100,500,1000,2500,5000,7500,10000", show_default=True,
    help="Widths of windows, in sites.",
)  # fmt: skip
@plots_option
@seed_option
@threads_option
@force_option
@json_option
@quiet_option
def entropy(
    source: Path, output: Path, selection: "Selection", haplotypes: int, draws: int, order: float | None,
    bias_correction: bool, windows: tuple[int, ...], plots: bool, seed: int, threads: int | None, force: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Measure how much the populations in SOURCE vary.

    Entropy site by site, by a bootstrap of as many haplotypes from each, and of windows; heterozygosity, frequency
    spectra, Fst.
    """
    if bias_correction and order is not None:
        raise click.UsageError("--bias-correction is for Shannon's entropy: leave out --order")

    from haploom.io import label_level, read_panel
    from haploom.report.entropy_report import DRAWINGS, TABLES, EntropySettings, measure_variation, write_variation
    from haploom.report.result_folder import ResultFolder

    folder = ResultFolder(output, TABLES, DRAWINGS if plots else (), _inputs(source, selection), force)
    settings = EntropySettings(
        n_haplotypes=haplotypes, n_draws=draws, order=order, bias_correction=bias_correction, widths=windows, seed=seed,
        threads=threads or default_threads(),
    )  # fmt: skip
    panel = read_panel(source, selection)
    level = label_level(panel.populations, selection.label, str(source))
    found = measure_variation(panel, level, settings)
    write_variation(found, panel, folder)
    name = "mean_entropy_bits" if order is None else "mean_tsallis"
    result: dict[str, object] = {"label": level, "haplotypes": panel.n_haplotypes, "sites": panel.n_sites}
    if as_json:
        result[name] = {label: _known(found.mean[label]._asdict()) for label in found.ranking}
    else:
        unit = " (bits)" if order is None else f" (Tsallis, order {order:g})"
        result |= {f"mean entropy {label}{unit}": _shown(found.mean[label]) for label in found.ranking}
    print_result({**result, "chosen_window": found.chosen_window, "folder": str(output)}, as_json)


@click.command()
@genotypes()
@folder_option
@selection_options
@map_option
@click.option(
    "--min-maf", type=click.FloatRange(0, 0.5, max_open=True), default=0.05, show_default=True,
    help="Sites with a minor-allele frequency above this in the population itself.",
)  # fmt: skip
@click.option("--max-sites", type=click.IntRange(2), default=500, show_default=True, help="Farthest pairs, in sites.")
@click.option("--max-bp", type=click.IntRange(1000), default=500_000, show_default=True, help="Farthest pairs, in bp.")
@click.option(
    "--max-cm", type=click.FloatRange(0.001), default=0.5, show_default=True, help="Farthest pairs, in centimorgans."
)
@click.option(
    "--max-pairs", type=click.IntRange(1), default=20_000_000, show_default=True,
    help="Of more pairs in a population, only every second, third, ... site is compared with those after it.",
)  # fmt: skip
@click.option("--site", type=Site(), help="Site whose LD with those after it is shown. [default: a common one]")
@plots_option
@threads_option
@force_option
@json_option
@quiet_option
def ld(
    source: Path, output: Path, selection: "Selection", genetic_map: Path | None, min_maf: float, max_sites: int,
    max_bp: int, max_cm: float, max_pairs: int, site: tuple[str, int] | None, plots: bool, threads: int | None,
    force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Measure how linkage disequilibrium falls with distance in each population of SOURCE.

    Mean r^2 and |r| of pairs of sites, by distance in sites, bp and cM; the r of one site with those after it; mutual
    information by stride.
    """
    from haploom.io import label_level, read_genetic_map, read_panel
    from haploom.report.linkage_report import DRAWINGS, TABLES, LinkageSettings, measure_linkage, write_linkage
    from haploom.report.result_folder import ResultFolder

    inputs = (*_inputs(source, selection), genetic_map)
    folder = ResultFolder(output, TABLES, DRAWINGS if plots else (), inputs, force)
    settings = LinkageSettings(
        min_maf=min_maf, max_sites=max_sites, max_bp=max_bp, max_cm=max_cm, max_pairs=max_pairs, site=site,
        threads=threads or default_threads(),
    )  # fmt: skip
    panel = read_panel(source, selection)
    level = label_level(panel.populations, selection.label, str(source))
    contigs = panel.variants.contigs()
    maps = {contig: read_genetic_map(genetic_map, contig) for contig in contigs} if genetic_map else None
    found = measure_linkage(panel, level, settings, maps)
    write_linkage(found, panel, folder)
    result: dict[str, object] = {"label": level, "haplotypes": panel.n_haplotypes, "sites": panel.n_sites}
    half = {label: _known({"kb": found.half_kb(label)})["kb"] for label in found.decay}
    pairs = {label: int(scales["bp"].n_pairs.sum()) for label, scales in found.decay.items()}
    print_result({**result, "pairs": pairs, "kb_to_half_r2": half, "folder": str(output)}, as_json)


def _inputs(source: Path, selection: "Selection") -> tuple[Path | None, ...]:
    return source, selection.populations, selection.sites, selection.split


def _known(figures: dict[str, float]) -> dict[str, float | None]:
    """Rounded; None for what is not a number, which JSON has no word for."""
    return {name: None if value != value else round(value, 6) for name, value in figures.items()}


def _shown(estimate: tuple[float, float, float]) -> str:
    value, low, high = estimate
    return f"{value:.4f}" if low != low else f"{value:.4f}  [{low:.4f}, {high:.4f}]"
