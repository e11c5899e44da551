"""Ancestry tracks: the truth about where every stretch of a bred haplotype comes from.

From and to are base pairs on the contig, 1-based and inclusive, at the crossover itself and not at the next
site. The tracks of a haplotype cover every contig from its first site to its last without gap or overlap.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from haploom.popgen.breeding import Generation

COLUMNS = ("sample", "haplotype", "chrom", "start_bp", "end_bp", "founder", "founder_haplotype", "population")


@dataclass(frozen=True, eq=False)
class Tracks:
    """Segments in order of haplotype, contig and position; one entry each, so all arrays are (n_segments,).

    haplotype: int64, row of the bred panel. contig: int64, place in `Genome.contigs`.
    start_bp, end_bp: int64. founder: int32, row of the founder panel.
    """

    haplotype: np.ndarray
    contig: np.ndarray
    start_bp: np.ndarray
    end_bp: np.ndarray
    founder: np.ndarray


def ancestry_tracks(generation: Generation) -> Tracks:
    """The tracks of one generation. Neighbouring segments of a contig always differ in founder haplotype."""
    mosaics, genome = generation.mosaics, generation.genome
    length = np.int64(max(genome.length_bp, 1))
    rows = np.arange(len(mosaics))
    # Haplotypes laid end to end, so that cutting the segments where a contig starts is one search for all.
    begins = np.repeat(rows, np.diff(mosaics.offsets)) * length + mosaics.starts
    cuts = (rows[:, None] * length + genome.contig_start).ravel()
    starts = np.union1d(begins, cuts) if len(genome.contigs) else cuts
    founder = mosaics.founders[np.searchsorted(begins, starts, side="right") - 1]
    ends = np.append(starts[1:], len(mosaics) * length)[: len(starts)]
    haplotype, start = np.divmod(starts, length)
    contig = np.searchsorted(genome.contig_start, start, side="right") - 1
    to_bp = genome.contig_first_bp[contig] - genome.contig_start[contig] - haplotype * length
    return Tracks(haplotype, contig, starts + to_bp, ends - 1 + to_bp, founder)


def track_lines(generation: Generation) -> Iterator[str]:
    """The tracks as lines of tab-separated COLUMNS, without a header. Haplotypes are 1 and 2 of their person."""
    tracks, founders = ancestry_tracks(generation), generation.founders
    contigs, samples = generation.genome.contigs, generation.samples
    populations = founders.labels(generation.level).tolist()
    columns = (tracks.haplotype, tracks.contig, tracks.start_bp, tracks.end_bp, tracks.founder)
    for haplotype, contig, start_bp, end_bp, founder in zip(*(column.tolist() for column in columns)):
        person = founder // 2
        yield (
            f"{samples[haplotype // 2]}\t{haplotype % 2 + 1}\t{contigs[contig]}\t{start_bp}\t{end_bp}\t"
            f"{founders.samples[person]}\t{founder % 2 + 1}\t{populations[person]}\n"
        )
