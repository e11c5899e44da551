"""`haploom simulate`: seven continental populations under the coalescent."""

from collections.abc import Mapping
from pathlib import Path

import rich_click as click

from haploom.cli.arguments import PeoplePerPopulation, populations_beside
from haploom.cli.frame import (
    force_option,
    json_option,
    map_option,
    no_version_option,
    output_option,
    output_type_option,
    print_result,
    quiet_option,
    seed_option,
)


@click.command()
@output_option("Where the panel goes: .vcf.gz, .vcf or .h5. Its labels go beside it, to OUT.populations.tsv.")
@output_type_option
@click.option(
    "--people",
    type=PeoplePerPopulation(),
    default="100",
    show_default=True,
    help="People of each of AFR, EUR, WAS, SAS, EAS, OCE and AMR. Named ones, such as AFR=200,EUR=100: only these.",
)
@click.option("--sites", type=click.IntRange(1), help="Exactly so many sequential sites.  [default: 10000]")
@click.option("--length", "length_bp", type=click.IntRange(1), help="All sites of a stretch of so many bp instead.")
@map_option
@click.option("--contig", help="Name of the contig.  [default: that of the map, else 1]")
@click.option(
    "--min-count",
    type=click.IntRange(1),
    help="Leave out sites whose minor allele has fewer copies.  [default: more than 1 in 600 haplotypes]",
)
@click.option(
    "--subpopulations",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Parts of each population, apart for 100 generations; with more than 1, a column of labels names them.",
)
@seed_option
@no_version_option
@force_option
@json_option
@quiet_option
def simulate(
    output: Path, output_type: str | None, people: int | Mapping[str, int], sites: int | None, length_bp: int | None,
    genetic_map: Path | None, contig: str | None, min_count: int | None, subpopulations: int, seed: int,
    no_version: bool, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Simulate unrelated people of seven continental populations; no real genome is needed or used.

    The history is out of Africa, with growth, migration and mixture, and about 9 sites per kb are kept. Prints
    the mean site entropy of each population and, with --json, Hudson's Fst of every pair.
    """
    if sites is not None and length_bp is not None:
        raise click.UsageError("give --sites or --length, not both")

    import numpy as np

    from haploom import io
    from haploom.popgen.coalescent import DEFAULT_CONTIG, simulate_panel
    from haploom.popgen.differentiation import fst_matrix, population_counts
    from haploom.popgen.entropy import population_entropies

    labels_to = populations_beside(output)
    io.check_outputs((output, labels_to), (genetic_map,), force)
    chrom, crossovers = contig or DEFAULT_CONTIG, None
    if genetic_map is not None:
        # The only contig of the map when none is named; of several, read_genetic_map asks for one.
        crossovers = io.read_genetic_map(genetic_map, contig)
        chrom = contig or io.genetic_map_contigs(genetic_map)[0]
    panel = simulate_panel(
        people=people, sites=sites, length_bp=length_bp, genetic_map=crossovers, min_count=min_count,
        subpopulations=subpopulations, chrom=chrom, seed=seed,
    )  # fmt: skip
    synthetic = f'##synthetic=<Source="coalescent simulation, no person\'s genome",Seed={seed}>'
    io.write_panel(
        panel, output, output_type=output_type, force=force, header_lines=(synthetic,), no_version=no_version
    )
    io.write_populations(labels_to, panel.samples, panel.populations, force)

    entropies = {label: round(float(h.mean()), 4) for label, h in population_entropies(panel, seed=seed).items()}
    counts = population_counts(panel)
    positions = panel.variants.position_bp
    figures: dict[str, object] = {
        "people": panel.n_samples,
        "haplotypes": panel.n_haplotypes,
        "sites": panel.n_sites,
        "contig": chrom,
        "sites_per_kb": round(1000 * panel.n_sites / int(positions[-1] - positions[0] + 1), 2),
    }
    if as_json:
        # Pairs without a site that varies have no Fst.
        fst = [[None if np.isnan(value) else value for value in row] for row in fst_matrix(counts).round(4).tolist()]
        figures["mean_entropy_bits"] = entropies
        figures["fst"] = {label: dict(zip(counts.labels, row)) for label, row in zip(counts.labels, fst)}
    else:
        figures |= {f"mean entropy {label} (bits)": entropy for label, entropy in entropies.items()}
    print_result(figures, as_json)
