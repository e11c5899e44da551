"""Local ancestry and proportions as files: TSV, BED, and the plain matrix of ADMIXTURE."""

from collections.abc import Iterator
from pathlib import Path

from haploom.ancestry.local_ancestry import Painting
from haploom.ancestry.proportions import Proportions
from haploom.io.bgzf import bgzf_blocks
from haploom.io.output import atomic_output, text_output

COLUMNS = ("sample", "haplotype", "chrom", "start_bp", "end_bp", "label", "p", "sites", "part")
_GZIP = ".gz"


def write_painting(painting: Painting, path: Path, force: bool = False) -> None:
    """A line a stretch, in order of person, haplotype, contig and position.

    .bed: without a header, from 0 and the end not included: contig, start, end, label, 1000 times its probability,
    `.`, sample, haplotype. Other names: a TSV of COLUMNS, from 1 and the end included. .gz after either: in BGZF.
    `-`: stdout.
    """
    name = path.name.removesuffix(_GZIP)
    lines = _bed_lines(painting) if name.endswith(".bed") else _tsv_lines(painting)
    if path.name.endswith(_GZIP):
        with atomic_output(path, force) as partial, partial.open("wb") as file:
            file.writelines(bgzf_blocks(line.encode() for line in lines))
        return
    with text_output(path, force) as file:
        file.writelines(lines)


def write_proportions(proportions: Proportions, path: Path, force: bool = False) -> None:
    """.Q: as ADMIXTURE writes, a line a person, a column a label, in the order of both, neither named. Other names: a
    TSV with a header: sample, q_<label>..., part. `-`: stdout."""
    rows = ([f"{share:.6f}" for share in row] for row in proportions.proportions)
    with text_output(path, force) as file:
        if path.suffix == ".Q":
            file.writelines(" ".join(row) + "\n" for row in rows)
            return
        file.write("\t".join(["sample", *(f"q_{label}" for label in proportions.labels), "part"]) + "\n")
        for sample, row, part in zip(proportions.samples, rows, proportions.parts):
            file.write("\t".join([sample, *row, part]) + "\n")


def _tsv_lines(painting: Painting) -> Iterator[str]:
    yield "\t".join(COLUMNS) + "\n"
    for row, chrom, start_bp, end_bp, label, p, sites in _rows(painting):
        person, haplotype = divmod(row, 2)
        yield (
            f"{painting.samples[person]}\t{haplotype + 1}\t{chrom}\t{start_bp}\t{end_bp}\t{painting.labels[label]}\t"
            f"{p:.4f}\t{sites}\t{painting.parts[person]}\n"
        )


def _bed_lines(painting: Painting) -> Iterator[str]:
    for row, chrom, start_bp, end_bp, label, p, _ in _rows(painting):
        person, haplotype = divmod(row, 2)
        yield (
            f"{chrom}\t{start_bp - 1}\t{end_bp}\t{painting.labels[label]}\t{round(1000 * p)}\t.\t"
            f"{painting.samples[person]}\t{haplotype + 1}\n"
        )


def _rows(painting: Painting) -> Iterator[tuple]:
    of = painting.segments
    columns = (of.haplotype, of.chrom, of.start_bp, of.end_bp, of.label, of.probability, of.sites)
    return zip(*(column.tolist() for column in columns))
