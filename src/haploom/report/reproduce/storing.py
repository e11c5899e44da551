"""Ways to store haplotypes that the tables compare, each as rows: q = 0, frequencies, bytes, our levels, a model.

A row: method, latents (None without), bytes, model_bytes, encode_s, decode_s, and how the size was counted: "paper" (16
bits a run of the residual, 32 a latent) or "stored" (bytes that were written, and read back).
"""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from haploom.archive import open_archive
from haploom.archive.byte_codecs import check_byte_codec
from haploom.baselines.principal_components import pca_of
from haploom.compression import compress_panel
from haploom.entropy_coding.allele_stream import code_alleles, decode_alleles
from haploom.entropy_coding.run_lengths import encode_runs, paper_size_bits
from haploom.errors import CheckFailedError, HaploomError
from haploom.io.model_file import ModelFile
from haploom.panel import Panel
from haploom.panel.bits import row_blocks
from haploom.report.reproduce.byte_coders import Measured, bref3, coders, measure
from haploom.report.reproduce.rows import Row

LEVELS = ("fast", "default", "max")


def row(method: str, n_bytes: float, *, counted: str = "stored", **more: Any) -> Row:
    """One row; seconds and model bytes are absent where there are none."""
    return {
        "method": method, "latents": None, "bytes": n_bytes, "model_bytes": 0, "counted": counted,
        "encode_s": None, "decode_s": None, **more,
    }  # fmt: skip


def without_latents(panel: Panel, train: Panel, of_population: Panel) -> Iterator[Row]:
    """Rows for q = 0: a guess that is the same for everybody, and run lengths of where it is wrong.

    panel: what is stored. train: everybody that may be learned from; of_population: those of the same label.
    """
    n_sites = panel.n_sites
    guesses = {
        "all zero": np.zeros(n_sites, dtype=np.uint8),
        "majority": _majority(train),
        "majority of the population": _majority(of_population),
    }
    for name, guess in guesses.items():
        bits = sum(
            paper_size_bits(encode_runs(panel.alleles(rows) ^ guess), rows.stop - rows.start, 0)
            for rows in row_blocks(panel.n_haplotypes, n_sites)
        )
        yield row(f"q = 0, {name}", bits / 8, counted="paper", latents=0)


def by_frequencies(panel: Panel, train: Panel, of_population: Panel) -> Iterator[Row]:
    """Arithmetic coding of every allele under its site's frequency among training people; 2 bytes a site of model."""
    for name, learned in (("", train), (" of the population", of_population)):
        counts, n = learned.allele_counts(), learned.n_haplotypes
        share = (counts + 0.5) / (n + 1)
        p = np.clip(np.rint(share * 65536), 1, 65535).astype(np.uint16)
        alleles = panel.alleles()
        probabilities = np.broadcast_to(p, alleles.shape)
        start = time.perf_counter()
        data = code_alleles(alleles, probabilities)
        coded = time.perf_counter()
        if not np.array_equal(decode_alleles(data, probabilities), alleles):
            raise CheckFailedError("the range coder did not give back what it was given")
        yield row(
            f"arithmetic coding, frequencies{name}", len(data), model_bytes=2 * panel.n_sites,
            encode_s=coded - start, decode_s=time.perf_counter() - coded,
        )  # fmt: skip


def by_general_coders(panel: Panel) -> Iterator[Row]:
    """gzip and the like on a byte an allele and on packed rows; bref3 on the text."""
    forms = {"bytes": panel.alleles().tobytes(), "bits": panel.bits.tobytes()}
    for coder in coders():
        for name, data in forms.items():
            yield _measured(f"{coder.name}, {name}", measure(coder, data))
    for found in bref3(panel):
        yield _measured("bref3", found)


def by_our_levels(panel: Panel) -> Iterator[Row]:
    """The statistical codec."""
    for level in LEVELS:
        about, seconds = stored(panel, codec="statistical", level=level)
        yield row(f"haploom {level}", about["genotype_bytes"], **seconds)


def by_model(panel: Panel, model: Path, codec: str, q: int | None) -> Iterator[Row]:
    """A codec with a model: as stored, and where the paper counts otherwise, as it counts.

    codec: its name, or its name and the level, "CODEC, level LEVEL".
    """
    name, _, level = codec.partition(", level ")
    about, seconds = stored(panel, codec=name, level=level or "default", model=model, embed_model=False)
    more = {"latents": q, "model_bytes": about["model_bytes"], **seconds}
    if about["paper_counted_bytes"] is not None:
        yield row(f"{codec}, as the paper counts", about["paper_counted_bytes"], counted="paper", **more)
    yield row(codec, about["genotype_bytes"], **more)


def by_auto(panel: Panel, model: Path) -> Iterator[Row]:
    """The smallest of the statistical codec at its hardest and of the model's codecs, the model in the archive."""
    about, seconds = stored(panel, codec="auto", level="max", model=model)
    codec = "+".join(about["blocks"])
    yield row(f"auto, which took {codec}", about["genotype_bytes"], model_bytes=about["model_bytes"], **seconds)


def vqvae_codecs() -> Iterator[str]:
    """The codecs of a VQ-VAE that can run here."""
    for codec in ("vqvae+zstd", "vqvae+blosc2", "vqvae+genozip", "vqvae", "vqvae, level max"):
        try:
            check_byte_codec(codec.partition("+")[2])
        except HaploomError:
            continue
        yield codec


def by_pca_without_mean(panel: Panel, model: ModelFile) -> Iterator[Row]:
    """What the paper's figures for PCA look like: the mean, taken away on the way in, is not added back."""
    pca, bits = pca_of(model), 0
    for rows in row_blocks(panel.n_haplotypes, panel.n_sites):
        alleles = panel.alleles(rows)
        wrong = alleles ^ (pca.transform(alleles) @ pca.components_ > 0.5).astype(np.uint8)
        bits += paper_size_bits(encode_runs(wrong), len(alleles), pca.n_components)
    yield row("pca+rle, mean not added back (the paper's mistake)", bits / 8, counted="paper", latents=pca.n_components)


def stored(panel: Panel, **settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an archive says of itself, and the seconds it took to write and to read back.

    Raises CheckFailedError when other haplotypes come back.
    """
    with TemporaryDirectory() as name:
        path = Path(name) / "a.hlm"
        start = time.perf_counter()
        about = compress_panel(panel, path, verify=False, **settings)
        written = time.perf_counter()
        back = open_archive(path, settings.get("model")).read()
        done = time.perf_counter()
        if not np.array_equal(back.bits, panel.bits):
            raise CheckFailedError(f"{settings} did not give back what was stored")
    return about, {"encode_s": written - start, "decode_s": done - written}


def _measured(name: str, found: Measured) -> Row:
    return row(name, found.n_bytes, encode_s=found.encode_s, decode_s=found.decode_s)


def _majority(panel: Panel) -> np.ndarray:
    return (2 * panel.allele_counts() > panel.n_haplotypes).astype(np.uint8)
