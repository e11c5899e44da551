"""The files of a demo, all in its own folder, and the lists of people and sites that its commands take."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np

from haploom.errors import HaploomError
from haploom.io import (
    Selection,
    label_level,
    read_panel,
    read_populations,
    read_samples,
    read_split,
    write_populations,
)
from haploom.io.output import make_folder, text_output
from haploom.panel import Panel
from haploom.report.demo.cast import LEVEL, Cast

PANEL, PANEL_LABELS, SPLIT = "panel.vcf.gz", "panel.populations.tsv", "split.tsv"
CHROMOSOME, CHROMOSOME_LABELS = "chromosome.vcf.gz", "chromosome.populations.tsv"
CHROMOSOME_SPLIT = "chromosome.split.tsv"
OFFSPRING, OFFSPRING_LABELS, OFFSPRING_SPLIT = "offspring.vcf.gz", "offspring.populations.tsv", "offspring.split.tsv"
MIXED, MIXED_LABELS, TRACKS = "mixed.vcf.gz", "mixed.populations.tsv", "tracks.tsv.gz"
VAE, PCA, VQVAE = "vae.safetensors", "pca.safetensors", "vqvae.safetensors"
GENERATOR, TRUSTED = "generator.safetensors", "trusted.safetensors"
# Codec -> the model it needs.
CODECS = {
    "statistical": None, "vae+rle": VAE, "vae": VAE, "pca+rle": PCA, "vqvae+zstd": VQVAE, "vqvae": VQVAE, "auto": VAE,
}  # fmt: skip
ARCHIVES = {codec: f"panel.{codec.replace('+', '-')}.hlm" for codec in CODECS}
DECODED = "decompressed.vcf.gz"
REFERENCE, ALONE, BESIDE = "reference.hlm", "test.alone.hlm", "test.beside.hlm"
COORDINATES, MAP = "coordinates.tsv", "map.html"
LABELS, ACCURACIES = "labels.tsv", "accuracies.jsonl"
PEOPLE, STRANGERS, VISITORS, HALF_OF_SITES = "people.txt", "strangers.txt", "visitors.txt", "every-other-site.tsv"
VISITOR_LABELS, HALF_LABELS, WHY = "visitors.labels.tsv", "visitors.half.labels.tsv", "why.html"
MIXED_CLASSES, STRETCHES, SHARES = "mixed.labels.tsv", "stretches.tsv", "shares.tsv"
# Made-up people: what made them -> the file's stem; each has an audit in the folder of that name.
MADE = {"autoregressive model": "synthetic", "VAE": "vae-people", "mosaics of training people": "mosaic-people"}
GENERATED = "autoregressive model"
RESULTS, REPORT = "results.json", "report.html"

MADE_FILES = {stem: (f"{stem}.vcf.gz", f"{stem}.populations.tsv") for stem in MADE.values()}
FOLDERS = frozenset(f"{stem}.audit" for stem in MADE.values())
FILES = frozenset({
    PANEL, PANEL_LABELS, SPLIT, CHROMOSOME, CHROMOSOME_LABELS, CHROMOSOME_SPLIT, OFFSPRING, OFFSPRING_LABELS,
    OFFSPRING_SPLIT, MIXED, MIXED_LABELS, TRACKS, VAE, PCA, VQVAE, GENERATOR, TRUSTED, *ARCHIVES.values(), DECODED,
    REFERENCE, ALONE, BESIDE, COORDINATES, MAP, LABELS, ACCURACIES, PEOPLE, STRANGERS, VISITORS, HALF_OF_SITES,
    VISITOR_LABELS, HALF_LABELS, WHY, MIXED_CLASSES, STRETCHES, SHARES, RESULTS, REPORT,
    *(name for names in MADE_FILES.values() for name in names),
})  # fmt: skip

LEAST_PEOPLE = 20  # of a population that takes part: a tenth of them must be two who can breed
LEAST_IN_ALL = 100  # people: of fewer the test part is too small for an audit
MOST_SITES = 10_000  # of an own panel: more would take far longer than a demo should
LEAST_PAINTED_BP = 5_000_000  # in a shorter stretch hardly any admixed haplotype changes its ancestry


def wide_files(cast: Cast) -> tuple[str, str, str]:
    """Genotypes, labels and split of the people who are judged and painted: own people have one panel for all."""
    own = (PANEL, PANEL_LABELS, SPLIT)
    return own if cast.source else (CHROMOSOME, CHROMOSOME_LABELS, CHROMOSOME_SPLIT)


def people_of(folder: Path, names: tuple[str, str], split: str | None = None, part: str | None = None) -> Panel:
    """The people in a file with their labels, or those of one part. names: genotypes and labels."""
    genotypes, labels = names
    selection = Selection(populations=folder / labels, split=folder / split if split else None, part=part)
    return read_panel(folder / genotypes, selection)


def founders_of(folder: Path, part: str | None = None) -> Panel:
    """The people of the panel with their labels, or those of one part."""
    return people_of(folder, (PANEL, PANEL_LABELS), SPLIT if part else None, part)


def earlier_demo(folder: Path, force: bool) -> list[str]:
    """Names of an earlier demo's files in the folder, which need not be there.

    Raises HaploomError when there is an earlier demo and not `force`, or anything that is no demo's.
    """
    if folder.exists() and not folder.is_dir():
        raise HaploomError(f"{folder} is a file: name a folder for the demo with -o")
    found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if strangers := [name for name in found if name not in FILES | FOLDERS]:
        raise HaploomError(
            f"{folder} holds files that are not of a demo (the first: {strangers[0]}): choose another folder with -o"
        )
    if found and not force:
        raise HaploomError(f"{folder} holds an earlier demo: pass --force to replace it, or choose another with -o")
    return found


def prepare_folder(folder: Path, force: bool) -> None:
    """Make the folder, or take an earlier demo's files out of it. Raises HaploomError as `earlier_demo`."""
    found = earlier_demo(folder, force)
    make_folder(folder)
    for name in found:
        if name in FOLDERS:
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink()


def cast_own_people(folder: Path, source: Path, populations: Path, label: str | None) -> Cast:
    """Who takes part of the user's people, and as what; writes PEOPLE and PANEL_LABELS.

    People without a label, and those of populations with fewer than LEAST_PEOPLE, do not. The smallest population is
    the one the classifier never sees, where two others are left; the two largest of those are mixed.

    Raises HaploomError when there are no two populations that are large enough, fewer than LEAST_IN_ALL people, more
    than MOST_SITES sites, or genotypes that `read_panel` refuses.
    """
    table = read_populations(populations)
    level = label_level(table.levels, label, str(populations))
    own = {name: table.labels[name][level] for name in read_samples(source) if name in table.labels}
    counts = Counter(own.values())
    sizes = sorted(((n, name) for name, n in counts.items() if n >= LEAST_PEOPLE), reverse=True)
    if len(sizes) < 2 or sum(n for n, _ in sizes) < LEAST_IN_ALL:
        found = ", ".join(f"{name} {n}" for name, n in counts.most_common(5)) or "nobody of the table"
        raise HaploomError(
            f"{source} has {found} by column {level!r} of {populations}: a demo wants two populations or more of "
            f"{LEAST_PEOPLE} people or more, and {LEAST_IN_ALL} people in all; choose other labels with --label"
        )
    large = {name for _, name in sizes}
    samples = tuple(name for name, of in own.items() if of in large)
    panel = read_panel(source, Selection(samples=samples))
    if panel.n_sites > MOST_SITES:
        raise HaploomError(
            f"{source} has {panel.n_sites:,} sites, and a demo takes {MOST_SITES:,} at most: cut a piece out of it "
            f"with `haploom convert {source} -r REGION -o piece.vcf.gz`, or take common sites with --maf"
        )
    _write_list(folder / PEOPLE, samples)
    write_populations(folder / PANEL_LABELS, samples, {LEVEL: [own[name] for name in samples]})
    known = [name for _, name in sizes]
    stranger = known.pop() if len(known) > 2 else None
    positions = panel.variants.position_bp
    chrom = np.array(panel.variants.chrom.tolist())
    longest_bp = max(int(np.ptp(positions[chrom == contig])) for contig in panel.variants.contigs())
    mixed = tuple(known[:2]) if longest_bp >= LEAST_PAINTED_BP else ()
    return Cast(source=str(source), label=level, stranger=stranger, mixed=mixed)


def write_lists(folder: Path, cast: Cast) -> None:
    """Write the people the classifier never learns of, all who are judged, and every other site."""
    genotypes, labels, split = wide_files(cast)
    panel = people_of(folder, (genotypes, labels))
    of = dict(zip(panel.samples, panel.labels(LEVEL).tolist()))
    part_of = read_split(folder / split).part_of
    strangers = [name for name in panel.samples if of[name] == cast.stranger]
    known = [name for name in panel.samples if of[name] != cast.stranger and part_of[name] == "test"]
    if strangers:
        _write_list(folder / STRANGERS, strangers)
    _write_list(folder / VISITORS, [*known, *strangers])
    sites = panel.variants
    places = zip(sites.chrom.tolist()[::2], sites.position_bp.tolist()[::2])
    _write_list(folder / HALF_OF_SITES, ["chrom\tpos", *(f"{chrom}\t{position}" for chrom, position in places)])


def _write_list(path: Path, lines: "list[str] | tuple[str, ...]") -> None:
    with text_output(path) as file:
        file.writelines(f"{line}\n" for line in lines)
