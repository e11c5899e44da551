"""`haploom impute`: alleles that are not known, filled in by a model."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from haploom.cli.frame import (
    chosen_sites_explained,
    force_option,
    genotypes,
    json_option,
    model_option,
    no_version_option,
    note,
    output_option,
    print_result,
    quiet_option,
    selection_options,
    threads_option,
)  # fmt: skip

if TYPE_CHECKING:
    from haploom.io import Selection


@click.command()
@genotypes()
@model_option
@output_option("VCF (.vcf, .vcf.gz); - for stdout.", stdout=True)
@click.option(
    "-O", "--output-type", type=click.Choice(["v", "z"]),
    help="v: VCF, z: VCF in BGZF. Without it, the suffix of the output tells.",
)  # fmt: skip
@click.option(
    "--min-coverage", type=click.FloatRange(0, 1), default=0.02, show_default=True,
    help="Refuse genotypes with a smaller share of the model's sites.",
)  # fmt: skip
@no_version_option
@selection_options
@threads_option
@force_option
@json_option
@quiet_option
def impute(
    source: Path, model: Path, output: Path, output_type: str | None, min_coverage: float, no_version: bool,
    selection: "Selection", threads: int | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Fill in the sites of a model that SOURCE has not: the likeliest genotypes and expected alleles.

    The output has all sites of the model and no others. Calls in SOURCE stay as they are. A model of haplotypes takes
    phased haplotypes without missing calls; one of unphased people takes any genotypes, and fills in missing calls too.
    """
    from haploom.imputation import impute_panel, write_imputed
    from haploom.imputation.vcf import check_imputed_name
    from haploom.io import check_outputs, read_dosages, read_panel
    from haploom.io.model_file import file_sha256, read_model

    check_imputed_name(output, output_type)
    if output != Path("-"):
        check_outputs((output,), (source, model), force)
    trained = read_model(model)
    panel = read_panel(source, selection) if trained.ploidy == 1 else read_dosages(source, selection)
    from haploom.training.threads import use_threads  # loads torch: after the input is known to be good

    use_threads(threads)
    with chosen_sites_explained(selection):
        imputed = impute_panel(panel, trained, min_coverage)
    write_imputed(
        imputed, trained, file_sha256(model), output, output_type=output_type, force=force, no_version=no_version
    )
    if n_trained := sum(part == "train" for part in trained.parts_of(panel.samples)):
        note(f"warning: the model was trained on {n_trained:,} of these {panel.n_samples:,} people")
    result = {"people": panel.n_samples, "sites": imputed.n_sites, "imputed_sites": imputed.n_untyped}
    print_result(result, as_json, output)
