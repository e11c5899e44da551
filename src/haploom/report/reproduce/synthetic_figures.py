"""Figures 5, 6, S1, S9 and S10: made-up people beside the founders, by linkage, entropy, spectra and labels."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haploom.baselines.accuracy import accuracy
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.panel import Panel
from haploom.popgen.entropy import site_entropy
from haploom.popgen.information import STRIDES, information_by_stride, reference_sites
from haploom.popgen.linkage import MIN_MAF, Decay, contig_ends, correlation_profile, distance_scales, ld_decay
from haploom.popgen.pca import PCA
from haploom.popgen.site_bits import SiteBits
from haploom.popgen.spectra import folded_by_percent
from haploom.report import figures, plots, plots_statistics
from haploom.report.page import Column, Table
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.claims import Claim
from haploom.report.reproduce.pages import write_page
from haploom.report.reproduce.synthetic import FOUNDERS, PAPER_METHODS, Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SITES_APART = 500  # (paper)
_NEGLIGIBLE_BITS = 0.05
_MOST_POINTS = 300  # of a label and a method, on a map


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Measure and write the page."""
    compared = Comparison(request, folder)
    return _MAKERS[request.name](compared)


def _linkage(compared: Comparison) -> list[Path]:
    """Figure 5."""
    people = compared.everybody()
    founders = compared.founders
    labels = sorted(set(compared.per_haplotype(founders).tolist()))
    # Of populations apart: in a mixture, differences in allele frequency look like linkage.
    decay: dict[str, dict[str, Decay]] = {}
    profile: dict[str, dict[str, np.ndarray]] = {}
    scale = {"sites": distance_scales(founders.variants, max_sites=_SITES_APART)["sites"]}
    site = _common_site(founders)
    information: dict[str, list[np.ndarray]] = {}
    ends = contig_ends(founders.variants)
    for name, panel in people.items():
        of = compared.per_haplotype(panel)
        decay[name], profile[name], information[name] = {}, {}, []
        for label in labels:
            sites = SiteBits.of(panel, np.flatnonzero(of == label))
            decay[name][label] = ld_decay(sites, scale)["sites"]
            profile[name][label] = correlation_profile(sites, site, _SITES_APART)
            information[name].append(information_by_stride(sites, reference_sites(sites, MIN_MAF), ends))
    curves = {name: np.array([each.mean_abs_r for each in of.values()]) for name, of in decay.items()}
    means = {name: _mean_known(curve) for name, curve in curves.items()}
    distance = (scale["sites"].edges[:-1] + scale["sites"].edges[1:] - 1) / 2
    rows: list[tuple[str, float, float, float, float, float]] = []
    for name in people:
        agreement = _mean_known(
            np.array([[_correlation(profile[name][label], profile[FOUNDERS][label])] for label in labels])
        )[0]
        error = float(_mean_known(np.abs(curves[name] - curves[FOUNDERS]).ravel()))
        near, far = _ends(means[name])
        rows.append((name, near, far, error, float(agreement), _negligible(information[name])))
    columns = [Column("people"), *(Column(text, ".3f") for text in (
        "mean |r|, neighbours", f"mean |r|, {_SITES_APART} sites", "error of |r|", "profile like founders'",
        "pairs below 0.05 bits"))]  # fmt: skip
    about = (
        f"{compared.about}\n\nMean |r| of pairs of sites by distance in sites, populations apart and then averaged; "
        "error: mean absolute difference from the founders' curve, over bins and populations. Profile: correlation, "
        "over 500 following sites, of one site's r with the founders'."
    )
    by_name = {row[0]: row for row in rows}
    papers = list(PAPER_METHODS.values())
    claims = [
        Claim(
            paper="correlation decays with distance, in real and simulated people",
            ours=", ".join(f"{n} {by_name[n][1]:.2f} to {by_name[n][2]:.2f}" for n in (FOUNDERS, *papers)),
            agrees=all(by_name[name][2] < by_name[name][1] for name in (FOUNDERS, *papers)),
        ),
        Claim(
            paper="peaks of one site's correlations align with those in real people",
            ours=", ".join(f"{name} {by_name[name][4]:.2f}" for name in papers),
            agrees=all(by_name[name][4] > 0.5 for name in papers), why="a profile is unlike below 0.5",
        ),
        Claim(
            paper="most pairs have negligible mutual information",
            ours=f"{by_name[FOUNDERS][5]:.0%} of the founders' pairs below {_NEGLIGIBLE_BITS} bits",
            agrees=by_name[FOUNDERS][5] > 0.5,
        ),
    ]  # fmt: skip
    first = labels[0]
    following = founders.variants.position_bp[site + 1 : site + 1 + len(profile[FOUNDERS][first])]

    def draw_decay(ax: "Axes") -> None:
        styles = plots.label_styles(list(means)).values()
        for place, ((name, values), (colour, marker)) in enumerate(zip(means.items(), styles)):
            style = plots.line_style(place)
            ax.plot(distance, values, color=colour, linestyle=style, marker=marker, markersize=3, label=name)
        ax.set(xlabel="Distance (sites)", ylabel="Mean |r|", xscale="log", ylim=(0, None))
        ax.xaxis.set_major_formatter("{x:g}")  # 100, not 10^2: mathematical text is off
        ax.legend(fontsize=8)

    drawings: dict[str, figures.Draw] = {
        "Mean |r| by distance, means over populations (the paper's A).": draw_decay,
        f"r² of one site with those after it, in {first} (the paper's B).": lambda ax: (
            plots_statistics.correlation_profile(
                ax, founders.variants.site_keys()[site], following, {name: of[first] for name, of in profile.items()}
            )
        ),
        **{
            f"Mutual information by stride, {name}, mean over populations (the paper's C).": _draw_information(
                information[name]
            )
            for name in (FOUNDERS, papers[-1])
        },
    }
    return write_page(compared.request, compared.folder, about, [Table(columns, rows)], drawings, claims)


def _draw_information(found: list[np.ndarray]) -> figures.Draw:
    mean = _mean_known(np.stack(found))
    return lambda ax: plots_statistics.information_by_stride(ax, mean, STRIDES)


def _entropies(compared: Comparison) -> list[Path]:
    """Figure 6."""
    people = compared.everybody()
    founders = compared.founders
    labels = sorted(set(compared.per_haplotype(founders).tolist()))
    entropy = {
        name: {label: _entropy_of(panel, compared.per_haplotype(panel) == label) for label in labels}
        for name, panel in people.items()
    }
    classifier = _trained_on(compared, compared.founders_by_part["train"])
    rows: list[tuple[str, float, float, float, float]] = []
    for name, panel in people.items():
        apart = [_wasserstein(entropy[name][label], entropy[FOUNDERS][label]) for label in labels]
        means = [float(entropy[name][label].mean()) for label in labels]
        seen = compared.founders_by_part["test"] if name == FOUNDERS else panel
        right = float((classifier.predict(seen) == compared.per_haplotype(seen)).mean())
        rows.append((name, float(np.mean(apart)), float(np.mean(means)), float(np.ptp(means)), right))
    columns = [Column("people"), *(Column(text, ".4f") for text in (
        "distance of entropies", "mean entropy, bits", "range over populations", "labelled right"))]  # fmt: skip
    by_name = {row[0]: row for row in rows}
    papers = list(PAPER_METHODS.values())
    ours = sorted(papers, key=lambda name: by_name[name][1])
    ranked = " < ".join(f"{name} {by_name[name][1]:.4f}" for name in ours)
    everyone = sorted((name for name in people if name != FOUNDERS), key=lambda name: by_name[name][1])
    claims = [
        Claim(paper="Y-VAE's entropies are nearest the founders'", ours=ranked, agrees=ours[0] == "Y-VAE"),
        Claim(paper="without conditioning they are farthest", ours=ranked, agrees=ours[-1] == "VAE"),
        Claim(
            paper="without conditioning, entropy is about the same in all populations",
            ours=f"range of means {by_name['VAE'][3]:.3f} bits, founders {by_name[FOUNDERS][3]:.3f}",
            agrees=by_name["VAE"][3] < 0.5 * by_name[FOUNDERS][3], why="a range below half the founders' would agree",
        ),
    ]  # fmt: skip
    about = (
        f"{compared.about}\n\nDistance: Wasserstein-1, in bits, between the entropies of sites in made-up people and "
        "in founders, mean over populations. Labelled right: by logistic regression on the alleles of training "
        "founders; of founders, those held out are labelled. sampled: alleles drawn by the decoder's probabilities. "
        f"Nearest of all methods: {', '.join(everyone)}."
    )
    pca = PCA(2).fit(founders)
    drawings: dict[str, figures.Draw] = {
        f"Principal components of the founders, with {name} (the paper's A).": _draw_map(compared, pca, panel)
        for name, panel in people.items()
        if name in (FOUNDERS, *papers, everyone[0])
    }
    drawings |= {
        f"Entropies of sites, {name} (the paper's B).": _draw_density(entropy[name]) for name in (FOUNDERS, *papers)
    }
    return write_page(compared.request, compared.folder, about, [Table(columns, rows)], drawings, claims)


def _draw_map(compared: Comparison, pca: PCA, panel: Panel) -> figures.Draw:
    labels = compared.per_haplotype(panel)
    order = sorted(set(labels.tolist()))
    shown = np.sort(np.concatenate([np.flatnonzero(labels == label)[:_MOST_POINTS] for label in order]))
    z = pca.transform(panel)[shown]
    return lambda ax: plots.latent_map(ax, z, labels[shown], order=order, axis_names=("PC1", "PC2"))


def _draw_density(entropy: dict[str, np.ndarray]) -> figures.Draw:
    return lambda ax: plots_statistics.entropy_density(ax, entropy)


def _spectra(compared: Comparison) -> list[Path]:
    """Figure S9."""
    people = compared.everybody()
    labels = sorted(set(compared.per_haplotype(compared.founders).tolist()))
    share: dict[str, dict[str, np.ndarray]] = {}
    for name, panel in people.items():
        of = compared.per_haplotype(panel)
        share[name] = {}
        for label in labels:
            rows = np.flatnonzero(of == label)
            counts = SiteBits.of(panel, rows).ones
            share[name][label] = folded_by_percent(counts, len(rows))
    table_rows: list[tuple[str, float, float, float]] = []
    for name, panel in people.items():
        of_label = share[name]
        apart = [_changed(of_label[label], share[FOUNDERS][label]) / panel.n_sites for label in labels]
        rare = [of_label[label][:5].sum() / max(1, of_label[label].sum()) for label in labels]
        varies = [of_label[label].sum() / panel.n_sites for label in labels]
        table_rows.append((name, float(np.mean(apart)), float(np.mean(varies)), float(np.mean(rare))))
    columns = [Column("people"), *(Column(text, ".3f") for text in (
        "distance of spectra", "share of sites that vary", "of them, up to 5 %"))]  # fmt: skip
    by_name = {row[0]: row for row in table_rows}
    papers = list(PAPER_METHODS.values())
    claims = [
        Claim(
            paper="folded spectra of simulated people are like the founders' (no figure given)",
            ours=", ".join(f"{name} {by_name[name][1]:.3f}" for name in papers),
            agrees=all(by_name[name][1] < 0.1 for name in papers),
            why="a tenth of the sites are in another bin, or vary no more: deciding alleles loses rare ones",
        )
    ]
    about = (
        f"{compared.about}\n\nDistance: share of all sites that would have to change bins (1 % wide) for a spectrum "
        "to be the founders', mean over populations; sites that do not vary are a bin of their own."
    )
    first = labels[0]
    drawings: dict[str, figures.Draw] = {
        f"Folded spectra in {first}.": lambda ax: plots_statistics.folded_spectra(
            ax, {name: of[first] for name, of in share.items()}
        )
    }
    return write_page(compared.request, compared.folder, about, [Table(columns, table_rows)], drawings, claims)


def _useful(compared: Comparison) -> list[Path]:
    """Figure S1: trained on made-up people, tested on real ones."""
    test = compared.founders_by_part["test"]
    truth, people = compared.per_haplotype(test), np.repeat(np.array(test.samples), 2)
    rows: list[list[object]] = []
    for name, panel in compared.everybody().items():
        train = compared.founders_by_part["train"] if name == FOUNDERS else panel
        found = accuracy(truth, _trained_on(compared, train).predict(test), people)
        rows.append([name, train.n_haplotypes, found.plain.value, found.plain.low, found.plain.high])
    columns = [Column("trained on"), Column("haplotypes", ","), *(Column(text, ".3f") for text in (
        "accuracy", "low", "high"))]  # fmt: skip
    of = {str(row[0]): float(str(row[2])) for row in rows}
    papers = list(PAPER_METHODS.values())
    claims = [
        Claim(
            paper="synthetic genotypes support accurate ancestry classification (no figure given)",
            ours=", ".join(f"{name} {of[name]:.3f}" for name in (FOUNDERS, *papers)),
            agrees=max(of[name] for name in papers) >= of[FOUNDERS] - 0.05,
            why="more than 5 points are lost",
        )
    ]
    about = (
        f"{compared.about}\n\nLogistic regression on alleles, trained on made-up people or on the training founders, "
        "labels held-out founders, whom no model learned from. Its penalty is chosen on the validation founders."
    )

    def draw(ax: "Axes") -> None:
        places = np.arange(len(rows))
        ax.barh(places, [of[str(row[0])] for row in rows], color=plots.PALETTE[3])
        ax.set_yticks(places, [str(row[0]) for row in rows])
        ax.invert_yaxis()
        ax.set(xlabel="Accuracy on held-out founders", xlim=(0, 1))

    return write_page(
        compared.request, compared.folder, about, [Table(columns, rows)],
        {"Accuracy of classifiers trained on made-up people.": draw}, claims,
    )  # fmt: skip


def _handles(compared: Comparison) -> list[Path]:
    """Figure S10: the same latents, decoded under each label."""
    classifier = _trained_on(compared, compared.founders_by_part["train"])
    pca = PCA(2).fit(compared.founders)
    rows, drawings = [], {}
    for kind in ("cvae", "yvae"):
        panel, name = compared.made(kind), PAPER_METHODS[kind]
        of, said = compared.per_haplotype(panel), classifier.predict(panel)
        rows += [[name, label, float((said[of == label] == label).mean())] for label in sorted(set(of.tolist()))]
        drawings[f"{name}: z ~ N(0, I), decoded under each label."] = _draw_map(compared, pca, panel)
    columns = [Column("model"), Column("label"), Column("labelled right", ".3f")]
    least = min(row[2] for row in rows)
    claims = [
        Claim(
            paper="a label given to the decoder says of which population the haplotypes are",
            ours=f"at least {least:.1%} of every label's are labelled so", agrees=least >= 0.9,
            why="fewer than 90 % of some label's are labelled right",
        )
    ]  # fmt: skip
    about = f"{compared.about}\n\nLabelled by logistic regression on the alleles of training founders."
    return write_page(compared.request, compared.folder, about, [Table(columns, rows)], drawings, claims)


def _changed(sites: np.ndarray, wanted: np.ndarray) -> float:
    """Sites that would have to change bins, those outside all bins among them."""
    moved = np.abs(sites - wanted).sum() + abs(int(sites.sum()) - int(wanted.sum()))
    return float(moved) / 2


def _trained_on(compared: Comparison, train: Panel) -> SnpLogisticRegression:
    validation = compared.founders_by_part["validation"]
    return SnpLogisticRegression().fit(
        train, compared.per_haplotype(train), validation, compared.per_haplotype(validation)
    )


def _entropy_of(panel: Panel, rows: np.ndarray) -> np.ndarray:
    people = [panel.samples[person] for person in np.flatnonzero(rows[::2])]
    return site_entropy(panel.select_samples(people))


def _wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-1 distance of two samples of equal size."""
    return float(np.abs(np.sort(a) - np.sort(b)).mean())


def _common_site(panel: Panel) -> int:
    common = np.flatnonzero(panel.minor_allele_frequencies() > 0.2)
    later = common[common >= panel.n_sites // 3]
    return int(later[0]) if len(later) else 0


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Over places known in both; NaN where there is no variation."""
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 2 or a[known].std() == 0 or b[known].std() == 0:
        return float("nan")
    return float(np.corrcoef(a[known], b[known])[0, 1])


def _mean_known(values: np.ndarray) -> np.ndarray:
    """Means over the first axis of what is not NaN; NaN where nothing is."""
    known = np.isfinite(values).sum(axis=0)
    return np.divide(np.nansum(values, axis=0), known, out=np.full(known.shape, np.nan), where=known > 0)


def _ends(curve: np.ndarray) -> tuple[float, float]:
    """The first and the last value that is known; NaN where none is."""
    known = curve[np.isfinite(curve)]
    return (float(known[0]), float(known[-1])) if len(known) else (float("nan"), float("nan"))


def _negligible(found: list[np.ndarray]) -> float:
    values = np.stack(found)
    known = values[np.isfinite(values)]
    return float((known < _NEGLIGIBLE_BITS).mean()) if len(known) else float("nan")


_MAKERS: dict[str, Callable[[Comparison], list[Path]]] = {
    "fig5": _linkage, "fig6": _entropies, "fig-s1": _useful, "fig-s9": _spectra, "fig-s10": _handles,
}  # fmt: skip
