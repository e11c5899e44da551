"""Which genome build sites are of: told by the contigs' lengths, or by identifiers that stand at other positions.

Lengths of the human chromosomes: the Genome Reference Consortium's GRCh37 and GRCh38.
"""

from collections.abc import Iterator

import numpy as np

from haploom.panel.variants import Variants

BUILDS = {
    "GRCh37": (
        249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747,
        135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520,
        48129895, 51304566,
    ),
    "GRCh38": (
        248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422,
        135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167,
        46709983, 50818468,
    ),
}  # fmt: skip
_FEWEST_MOVED = 2  # identifiers at other positions: one may be a mistake


def build_of(contig: str, length_bp: int) -> str | None:
    """The human build in which a chromosome, "22" or "chr22", has this length; None where there is none."""
    number = contig.removeprefix("chr")
    if not number.isdigit() or not 1 <= int(number) <= 22:
        return None
    return next((name for name, lengths in BUILDS.items() if lengths[int(number) - 1] == length_bp), None)


def other_build(wanted: Variants, here: Variants) -> Iterator[str]:
    """Sentences that say why these sites are of another build than wanted; none where nothing says so.

    Contigs are compared by name, with or without `chr`.
    """
    lengths = {contig.removeprefix("chr"): bp for contig, bp in here.contig_length_bp.items()}
    for contig, wanted_bp in wanted.contig_length_bp.items():
        here_bp = lengths.get(contig.removeprefix("chr"), wanted_bp)
        if here_bp != wanted_bp:
            named = [f" ({build})" if (build := build_of(contig, bp)) else "" for bp in (wanted_bp, here_bp)]
            yield (
                f"Contig {contig} has {wanted_bp:,} bp in the model{named[0]} and {here_bp:,} bp here{named[1]}: these "
                "sites are of another genome build, lift them over first"
            )
            return
    place = {name: at for at, name in enumerate(wanted.id.tolist()) if name != "."}
    both = [(place[name], at) for at, name in enumerate(here.id.tolist()) if name in place]
    if not both:
        return
    model, these = np.array(both).T
    moved = wanted.position_bp[model] != here.position_bp[these]
    if moved.sum() >= _FEWEST_MOVED and 2 * moved.sum() > len(moved):
        first = int(np.argmax(moved))
        yield (
            f"{int(moved.sum()):,} identifiers of the model stand at other positions here (the first: "
            f"{wanted.id[model[first]]} at {wanted.position_bp[model[first]]} in the model and at "
            f"{here.position_bp[these[first]]} here): these sites are of another genome build, lift them over first"
        )
