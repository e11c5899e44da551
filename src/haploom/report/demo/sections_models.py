"""Maps, stored genotypes and training: what the demo's models do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from haploom.embedding import embed_panel
from haploom.io.model_file import ModelFile, read_model
from haploom.popgen.pca import PCA
from haploom.report import plots
from haploom.report.demo import files, pictures, verdicts
from haploom.report.demo.cast import LEVEL
from haploom.report.demo.steps import Step
from haploom.report.figures import svg
from haploom.report.maps import plane
from haploom.report.page import Column, Figure, Section, Table

MAP_SIZE_IN = (4.8, 5.2)  # two stand side by side


def map_section(folder: Path, step: Step) -> Section:
    """The VAE's latent space beside principal components."""
    model = read_model(folder / files.VAE)
    panel, train = files.founders_of(folder), files.founders_of(folder, "train")
    labels = panel.labels(LEVEL, "haplotype")
    order = sorted(set(labels.tolist()))
    held_out = np.repeat(~np.isin(np.array(panel.samples), np.array(train.samples)), 2)
    vae, vae_axes = plane(embed_panel(panel, model).z)
    pca = PCA(2).fit(train)
    shares = [f"PC{i + 1} ({share:.0%} of variance)" for i, share in enumerate(pca.explained_variance_ratio_)]

    def drawn(points: np.ndarray, axis_names: tuple[str, str]) -> bytes:
        return svg(
            lambda ax: plots.latent_map(
                ax, points, labels, order=order, held_out=held_out, axis_names=axis_names, legend_below=True
            ),
            MAP_SIZE_IN,
        )

    return Section(
        "A map of the people",
        f"Each point is a haplotype, at its place in a space that was learned without labels; colours were added "
        f"after. Both maps hold all {panel.n_haplotypes:,} haplotypes. The VAE has "
        f"{model.arrays['labels.mean'].shape[1]} latents, and a page shows two directions: the two along which the "
        "haplotypes vary most. Over a short stretch of the genome populations overlap in any map, because most "
        "variation is within populations. The interactive map lets you zoom in, hover over people and choose some "
        "with a lasso; it is a file of its own that needs no network either.",
        figures=(
            Figure(
                drawn(vae, vae_axes),
                "The VAE's latent space. Outlined: validation and test people; neither they nor descendants of theirs "
                "were trained on.",
                "Scatter plot of VAE latents by population",
            ),
            Figure(
                drawn(pca.transform(panel), (shares[0], shares[1])),
                "Principal components of the training people's SNPs, the others projected.",
                "Scatter plot of two principal components by population",
            ),
        ),
        links={"Open the interactive map": files.MAP},
        command=step.shell_in_lines,
    )


def storage_section(results: Mapping[str, Any], step: Step) -> Section:
    """Each codec's bytes, as bars and as a table."""
    rows = results["storage"]["archives"]
    people = results["people"]
    n_people = sum(people["founders"].values())
    bare = 2 * n_people * -(-people["sites"] // 8)
    ranked = sorted(rows, key=verdicts.bytes_needed)
    keys = ("codec", "total_bytes", "genotype_bytes", "model_bytes", "bits_per_allele")
    columns = [
        Column("Codec"), Column("Whole file", ","), Column("Genotypes", ","), Column("Model", ","),
        Column("Bits per allele", ".3f"), Column("Decoded"),
    ]  # fmt: skip
    picture = svg(
        lambda ax: pictures.stored_bytes(
            ax,
            [row["codec"] for row in ranked],
            [row["genotype_bytes"] for row in ranked],
            [row["model_bytes"] for row in ranked],
            bare,
        )
    )
    return Section(
        "Storing genotypes without loss",
        f"{verdicts.storage_verdict(results)} {verdicts.reference_verdict(results['storage']['reference'])}\n\n"
        "vae+rle, pca+rle and vqvae+zstd keep each haplotype's latents or codes, and the places where the decoder is "
        "wrong; vae and vqvae code each allele under the probability that the model gives it. Decoders of whole "
        "numbers make the result the same on every machine. Reading such an archive needs the model, so its bytes "
        "count; they are paid once, and weigh less the more people are stored. Every archive was decoded and compared "
        "with what went in, allele by allele.",
        figures=(
            Figure(
                picture,
                f"What reading the genotypes takes, with the model: least with {ranked[0]['codec']}. One bit an "
                f"allele, nothing else, would be {bare:,} bytes.",
                "Bars of bytes of genotypes and model by codec, on a log scale",
            ),
        ),
        tables=(
            Table(
                columns,
                [[*(row[key] for key in keys), "identical" if row["identical"] else "different"] for row in rows],
                f"{n_people:,} people x {people['sites']:,} sites, bytes",
            ),
        ),
        command=step.shell_in_lines,
    )


def training_section(folder: Path, results: Mapping[str, Any], step: Step) -> Section:
    """How the networks learned."""
    rows = [
        [name, each["parameters"], each["epochs"], each["kept_epoch"], each["validation_loss"]]
        for name, each in results["training"].items()
    ]
    columns = [
        Column("Model"), Column("Parameters", ","), Column("Epochs", ","), Column("Kept", ","),
        Column("Validation loss", ".1f"),
    ]  # fmt: skip
    kept = results["training"]["VAE"]["kept_epoch"]
    return Section(
        "Training",
        f"The weights of the epoch that was best on validation people were kept, epoch {kept} of the VAE's. Test "
        "people were never looked at. Losses are in nats per haplotype. The VAE and the VQ-VAE are judged by "
        "descendants of the validation people, the autoregressive model by those themselves.",
        figures=(
            Figure(
                svg(lambda ax: plots.loss_curve(ax, *_curves(read_model(folder / files.VAE)))),
                "The VAE's loss while training. A gap between line and dashes is what the model knows by heart.",
                "Curves of the training and validation loss over epochs",
            ),
        ),
        tables=(Table(columns, rows),),
        command=step.shell_in_lines,
    )


def _curves(model: ModelFile) -> list[dict[str, np.ndarray]]:
    """Loss terms over epochs, of training and of validation people."""
    history = model.card.history
    curves = []
    for part in ("train", "validation"):
        reconstruction, kl = (np.array([row[f"{part}_{term}"] for row in history]) for term in ("reconstruction", "kl"))
        curves.append({"total": reconstruction + kl, "reconstruction": reconstruction, "KL": kl})
    return curves
