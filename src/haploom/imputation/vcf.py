"""Imputed genotypes as VCF: GT and DS of each person, and HDS of each haplotype where there are haplotypes.

Numbers have three decimals, always: every person's text is as long as every other's, and a block of sites is one array
of bytes.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from haploom import progress
from haploom.errors import HaploomError
from haploom.imputation.panels import UNIT, ImputedPanel
from haploom.io.model_file import ModelFile
from haploom.io.vcf_writer import header, write_text

_BLOCK_BYTES = 1 << 24
_TEXTS = np.frombuffer("".join(f"{i / UNIT:.3f}" for i in range(2 * UNIT + 1)).encode(), np.uint8).reshape(-1, 5)
_PHASED = b"0|0:0.000:0.000,0.000\t"
_UNPHASED = b"0/0:0.000\t"
_R2 = (
    "Variance of the expected alternate alleles over that of alleles drawn with frequency AF: 1 where each is known, "
    "0 where all are the frequency"
)


def write_imputed(
    imputed: ImputedPanel, model: ModelFile, model_sha256: str, path: Path, *, output_type: str | None = None,
    force: bool = False, no_version: bool = False,
) -> None:  # fmt: skip
    """Write imputed genotypes as VCF, plain or BGZF (by the name or `output_type`, "v" or "z"; `-` is stdout).

    Raises HaploomError for another format, or when `path` exists and not `force`.
    """
    check_imputed_name(path, output_type)
    head = header(imputed.variants, imputed.samples, _header_lines(imputed, model, model_sha256), no_version)
    write_text(_text(imputed, head), path, output_type=output_type, force=force)


def check_imputed_name(path: Path, output_type: str | None = None) -> None:
    """Raise HaploomError for a format that imputed genotypes are not written in; asked before long work."""
    if output_type not in (None, "v", "z") or not (
        output_type or str(path) == "-" or path.name.endswith((".vcf", ".vcf.gz", ".vcf.bgz"))
    ):
        raise HaploomError(
            f"cannot write {path}: imputed genotypes go to VCF, plain or BGZF (.vcf, .vcf.gz, -O v, -O z); "
            "`bcftools view -Ob` makes BCF of it"
        )


def _header_lines(imputed: ImputedPanel, model: ModelFile, model_sha256: str) -> list[str]:
    ds = "Expected alternate alleles"
    hds = '##FORMAT=<ID=HDS,Number=2,Type=Float,Description="Expected alternate alleles of each haplotype">'
    return [
        f'##FORMAT=<ID=DS,Number=1,Type=Float,Description="{ds}">',
        *([hds] if imputed.ploidy == 1 else []),
        '##INFO=<ID=AF,Number=A,Type=Float,Description="Expected alternate alleles as a share of all">',
        '##INFO=<ID=IMPUTED,Number=0,Type=Flag,Description="Nobody has a call: all genotypes are imputed">',
        f'##INFO=<ID=R2,Number=1,Type=Float,Description="{_R2}">',
        f'##imputation=<Source="haploom",Model="{model_sha256}",Kind="{model.card.kind}">',
    ]


def _text(imputed: ImputedPanel, head: list[str]) -> Iterator[bytes]:
    yield "".join(f"{line}\n" for line in head).encode()
    step = max(1, _BLOCK_BYTES // (len(_PHASED) * max(len(imputed.samples), 1)))
    with progress.task("Writing sites", total=imputed.n_sites) as advance:
        for start in range(0, imputed.n_sites, step):
            sites = slice(start, min(start + step, imputed.n_sites))
            yield _records(imputed, sites)
            advance(sites.stop - sites.start)


def _records(imputed: ImputedPanel, sites: slice) -> bytes:
    thousandths = np.ascontiguousarray(imputed.thousandths[:, sites].T)
    calls = _phased_calls(thousandths) if imputed.ploidy == 1 else _unphased_calls(thousandths)
    frequency = thousandths.mean(axis=1) / (UNIT * imputed.ploidy)
    spread = thousandths.var(axis=1) / (UNIT**2 * imputed.ploidy)
    keys = "GT:DS:HDS" if imputed.ploidy == 1 else "GT:DS"
    untyped_here = np.logical_not(imputed.called[:, sites].any(axis=0))  # of these sites alone: `untyped` looks at all
    variants = imputed.variants
    columns = (variants.chrom, variants.position_bp, variants.id, variants.ref, variants.alt)
    pieces = []
    for *fixed, untyped, p, variance, line in zip(
        *(column[sites].tolist() for column in columns), untyped_here, frequency, spread, calls
    ):
        info = [f"AF={p:.5f}", *(["IMPUTED"] if untyped else [])]
        if untyped and 0 < p < 1:
            info.append(f"R2={variance / (p * (1 - p)):.4f}")
        pieces += ["\t".join([*map(str, fixed), ".", ".", ";".join(info), keys, ""]).encode(), line]
    return b"".join(pieces)


def _phased_calls(thousandths: np.ndarray) -> np.ndarray:
    """uint16 (n_sites, n_haplotypes) -> uint8 (n_sites, bytes of a line's calls, its end included)."""
    first, second = thousandths[:, 0::2], thousandths[:, 1::2]
    out = np.tile(np.frombuffer(_PHASED, np.uint8), (*first.shape, 1))
    out[..., 0] += first > UNIT // 2
    out[..., 2] += second > UNIT // 2
    for place, numbers in ((4, first + second), (10, first), (16, second)):
        out[..., place : place + 5] = _TEXTS[numbers]
    return _lines(out)


def _unphased_calls(thousandths: np.ndarray) -> np.ndarray:
    """As `_phased_calls`, of people: the likeliest genotype changes at shares of 1/3 and 2/3."""
    out = np.tile(np.frombuffer(_UNPHASED, np.uint8), (*thousandths.shape, 1))
    out[..., 0] += 3 * thousandths.astype(np.int64) > 4 * UNIT
    out[..., 2] += 3 * thousandths.astype(np.int64) > 2 * UNIT
    out[..., 4:9] = _TEXTS[thousandths]
    return _lines(out)


def _lines(calls: np.ndarray) -> np.ndarray:
    calls[:, -1:, -1] = ord("\n")
    return calls.reshape(len(calls), -1)
