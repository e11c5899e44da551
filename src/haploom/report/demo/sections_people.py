"""Who takes part in the demo."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from haploom.report import plots
from haploom.report.demo.cast import Cast
from haploom.report.demo.steps import Step
from haploom.report.figures import svg
from haploom.report.page import Column, Figure, Section, Table


def people_section(results: Mapping[str, Any], cast: Cast, people: Step, breed: Step) -> Section:
    """The people, their parts, and how varied they are."""
    figures = results["people"]
    rows = [[part.capitalize(), figures["founders"][part], figures["offspring"][part]] for part in figures["founders"]]
    origin = (
        "The people are yours; populations with too few people to be split are left out."
        if cast.source
        else "The people come from a coalescent simulation of an out-of-Africa history; those of the longer stretch, "
        "for the trusted classifier and for painting, from another one of the same history."
    )
    return Section(
        "Who they are",
        f"{origin} They were split by person, and the people of each part bred apart: descendants of different parts "
        "share no ancestor here. A short stretch recombines rarely, so descendants are mostly copies of their "
        "ancestors' haplotypes in new company: more to train on, not more diversity.",
        figures=(_entropy_figure(results),),
        tables=(Table([Column("Part"), Column("People", ","), Column("Descendants", ",")], rows),),
        command=f"{people.shell_in_lines}\n{breed.shell_in_lines}",
    )


def _entropy_figure(results: Mapping[str, Any]) -> Figure:
    real = results["people"]["entropy_bits"]
    made_up = {row["population"]: row["entropy_bits"] for row in results["synthesis"]}
    names = list(real)

    def draw(ax: Any) -> None:
        plots.entropy_pairs(
            ax, names, np.array([real[name] for name in names]), np.array([made_up[name] for name in names]),
            sources=("people", "made up"),
        )  # fmt: skip

    ranked = sorted(real, key=real.__getitem__)
    return Figure(
        svg(draw),
        "Mean entropy per site, by population, at 32 haplotypes a draw, of the people and of those the autoregressive "
        f"model made up: most in {ranked[-1]}, least in {ranked[0]}.",
        "Bars of the entropy of each population, real and made-up people",
    )
