"""Whether an archive holds what a file holds."""

import hashlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np

from haploom.archive import Archive
from haploom.errors import CheckFailedError
from haploom.io import read_panel, source_format
from haploom.io.formats import BCF, PLINK1, VCF
from haploom.io.text_source import open_text


def verify_against(archive: Archive, source: Path, threads: int = 1) -> None:
    """Decode an archive and compare it with a file. Raises CheckFailedError at the first difference.

    An archive of a VCF, a BCF or PLINK 1 is compared with such a file byte for byte of its text; otherwise alleles,
    sites and samples are compared.
    """
    archive.verify(threads)
    kind = source_format(source)
    if kind in (VCF.name, BCF.name, PLINK1.name) and archive.manifest.source_format == kind:
        _compare_text(archive, source, kind)
    else:
        _compare_panels(archive, source)


def _compare_text(archive: Archive, source: Path, kind: str) -> None:
    digest = hashlib.sha256()
    with open_text(source, kind) as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    if digest.hexdigest() != archive.manifest.text_sha256:
        raise CheckFailedError(
            f"{archive.path} holds another text than {source}: {archive.manifest.text_bytes:,} bytes, wanted "
            f"{stream.n_bytes:,}; {_first_difference(archive, source, kind)}"
        )


def _first_difference(archive: Archive, source: Path, kind: str) -> str:
    """Where two texts first differ, in words."""
    with open_text(source, kind) as stream:
        pieces = iter(lambda: stream.read(1 << 20), b"")
        pairs = zip_longest(_lines(archive.text()), _lines(pieces))
        for number, (held, wanted) in enumerate(pairs, 1):
            if held != wanted:
                return f"line {number:,} {_differing_column(held, wanted)}"
    return "they have the same lines"


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a text that comes in pieces, with their line ends."""
    rest: list[bytes] = []
    for piece in pieces:
        *whole, last = piece.split(b"\n")
        for line in whole:
            yield b"".join([*rest, line, b"\n"])
            rest = []
        rest.append(last)
    if any(rest):
        yield b"".join(rest)


def _differing_column(held: bytes | None, wanted: bytes | None) -> str:
    if held is None or wanted is None:
        return f"is not in {'the archive' if held is None else 'the file'}: {_shown(held or wanted or b'')}"
    columns = list(zip_longest(held.split(b"\t"), wanted.split(b"\t"), fillvalue=b""))
    place = next(place for place, (one, other) in enumerate(columns) if one != other)
    one, other = columns[place]
    return f"holds {_shown(one)} in column {place + 1}, wanted {_shown(other)}"


def _shown(text: bytes) -> str:
    return repr(text[:60].decode(errors="replace"))


def _compare_panels(archive: Archive, source: Path) -> None:
    held, wanted = archive.read(), read_panel(source)
    for what, ours, theirs in (
        ("samples", held.samples, wanted.samples),
        ("sites", held.variants.site_keys(), wanted.variants.site_keys()),
        ("IDs of sites", held.variants.id.tolist(), wanted.variants.id.tolist()),
    ):
        if len(ours) != len(theirs):
            raise CheckFailedError(f"{archive.path} holds {len(ours):,} {what}, wanted {len(theirs):,} as in {source}")
        pairs = zip(ours, theirs, strict=True)
        if different := next((pair for pair in enumerate(pairs, 1) if pair[1][0] != pair[1][1]), None):
            number, (one, other) = different
            raise CheckFailedError(
                f"{archive.path} holds other {what} than {source}: the first that differs is number {number:,}, "
                f"{one!r}, wanted {other!r}"
            )
    rows = np.flatnonzero((held.bits != wanted.bits).any(axis=1))
    if len(rows):
        row = int(rows[0])
        (one,), (other,) = held.alleles(slice(row, row + 1)), wanted.alleles(slice(row, row + 1))
        site = int(np.flatnonzero(one != other)[0])
        raise CheckFailedError(
            f"{archive.path} holds other alleles than {source} in {len(rows):,} of {held.n_haplotypes:,} haplotypes: "
            f"the first is haplotype {row % 2 + 1} of {held.samples[row // 2]} at "
            f"{held.variants.chrom[site]}:{held.variants.position_bp[site]}, {one[site]}, wanted {other[site]}"
        )
