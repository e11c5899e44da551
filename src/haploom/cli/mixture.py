"""What `haploom classify` says of mixed people: local ancestry and proportions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from haploom.cli.frame import map_option

if TYPE_CHECKING:
    from haploom.io.model_file import ModelFile
    from haploom.panel import DosagePanel, Panel

_FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class MixtureOutputs:
    """What was asked for, each a file; generations as `paint_panel` takes them, None for its own."""

    local_ancestry: Path | None
    painting: Path | None
    proportions: Path | None
    proportions_plot: Path | None
    genetic_map: Path | None
    generations: float | None

    @property
    def files(self) -> list[Path]:
        """Those to write."""
        asked = (self.local_ancestry, self.painting, self.proportions, self.proportions_plot)
        return [path for path in asked if path]

    def check(self, model: "ModelFile") -> None:
        """Raise HaploomError for a model that cannot say it, or a name that no picture can have."""
        from haploom.ancestry.local_ancestry import check_paints
        from haploom.report.figures import check_figure_name

        for plot in (self.painting, self.proportions_plot):
            if plot is not None:
                check_figure_name(plot)
        if self.files and (self.local_ancestry or self.painting or model.ploidy == 1):
            check_paints(model)

    def write(
        self, panel: "Panel | DosagePanel", model: "ModelFile", min_coverage: float, threads: int, force: bool
    ) -> dict[str, Any]:
        """Write the files; returns figures to print: each label's mean proportion."""
        from haploom.ancestry.ancestry_files import write_painting, write_proportions
        from haploom.ancestry.local_ancestry import GENERATIONS, paint_panel
        from haploom.ancestry.proportions import Proportions, mixture_proportions

        if model.ploidy == 2:
            shares = mixture_proportions(panel, model, min_coverage)
        else:
            painting = paint_panel(
                panel, model, genetic_map=_maps(self.genetic_map, panel), threads=threads, min_coverage=min_coverage,
                generations=GENERATIONS if self.generations is None else self.generations,
            )  # fmt: skip
            shares = Proportions.of_painting(painting)
            if self.painting:
                from haploom.report.ancestry_plots import save_painting

                save_painting(painting, self.painting, force)
            if self.local_ancestry:
                write_painting(painting, self.local_ancestry, force)
        if self.proportions_plot:
            from haploom.report.ancestry_plots import save_proportions

            save_proportions(shares, self.proportions_plot, force)
        if self.proportions:
            write_proportions(shares, self.proportions, force)
        return {
            f"mean_proportion_{label}": round(float(share), 4)
            for label, share in zip(shares.labels, shares.proportions.mean(axis=0))
        }


def mixture_options(function: Callable) -> Callable:
    """The options of local ancestry and proportions; the command gets them as one keyword, `mixture`."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        names = ("local_ancestry", "painting", "proportions", "proportions_plot", "genetic_map", "generations")
        mixture = MixtureOutputs(**{name: kwargs.pop(name) for name in names})
        if not mixture.files and (mixture.genetic_map or mixture.generations):
            raise click.UsageError("--map and --generations are of --local-ancestry and --proportions: ask for one")
        return function(*args, mixture=mixture, **kwargs)

    options = (
        click.option("--local-ancestry", type=_FILE, help="Write the label of each stretch (TSV or .bed; .gz too)."),
        click.option("--painting", type=_FILE, help="Draw them (.png, .svg or .pdf)."),
        click.option("--proportions", type=_FILE, help="Write each person's share of every label (TSV, or .Q)."),
        click.option("--proportions-plot", type=_FILE, help="Draw them as stacked bars (.png, .svg or .pdf)."),
        map_option,
        click.option(
            "--generations", type=click.FloatRange(0, min_open=True),
            help="Since the populations met, for local ancestry.  [default: 10]",
        ),
    )  # fmt: skip
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def _maps(path: Path | None, panel: "Panel | DosagePanel") -> dict[str, Any] | None:
    if path is None:
        return None
    from haploom.io import read_genetic_map

    return {chrom: read_genetic_map(path, chrom) for chrom in panel.variants.contigs()}
