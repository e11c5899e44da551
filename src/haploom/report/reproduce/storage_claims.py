"""What the paper says of storing genotypes, beside rows that were measured.

Claims that start with "Ours" are not the paper's: they are what its comparison leaves out. All are about the bred
people unless they say otherwise, because those are what the paper stores. Source: Geleta et al. 2026, Tables 1 and 2.
"""

from collections.abc import Iterator, Sequence

from haploom.report.reproduce.claims import Claim
from haploom.report.reproduce.rows import Row

# Table 1, learning rate 1e-4: factors by number of latents.
PAPER_POPULATIONS = ("EUR", "EAS", "AMR", "SAS", "AFR", "OCE", "WAS")
PAPER_VAE = {
    32: (2.00, 1.75, 2.33, 1.69, 1.03, 1.27, 1.72),
    64: (2.04, 1.82, 2.27, 1.75, 1.16, 1.47, 1.82),
    128: (1.54, 1.45, 1.61, 1.41, 1.06, 1.25, 1.43),
}
COUNTED = "as the paper counts"

Factors = dict[str, float]  # by population


def claims_of(name: str, rows: Sequence[Row]) -> list[Claim]:
    """The claims of a table. rows: with factors."""
    if name == "table2":
        claims = list(_table2(_of(rows, "bred")))
        for data in ("bred", "unrelated"):
            claims += [*_half(_of(rows, data), data), _auto(_of(rows, data), data)]
        return claims
    return list(_table1(_of(rows, "bred"), "cvae" if name == "table-s3" else "vae"))


def _of(rows: Sequence[Row], data: str) -> list[Row]:
    return [row for row in rows if row["data"] == data]


def factors(rows: Sequence[Row], methods: Sequence[str], q: int | None = None) -> Factors:
    """The best factor against one bit an allele of any of these methods, by population; of one q, or of the best."""
    best: Factors = {}
    for row in rows:
        if row["method"] in methods and q in (None, row["latents"]):
            best[row["population"]] = max(row["factor_1_bit"], best.get(row["population"], 0.0))
    return best


def _table1(rows: Sequence[Row], kind: str) -> Iterator[Claim]:
    vae = f"{kind}+rle, {COUNTED}"
    best, without = factors(rows, [vae]), factors(rows, [m for m in _methods(rows) if m.startswith("q = 0")])
    if kind == "vae":
        yield from (_by_latents(rows, vae, q) for q in PAPER_VAE)
        halves = {name: factor for name, factor in best.items() if name in ("EUR", "AMR")}
        yield Claim(
            paper="EUR and AMR become half as large as one bit a SNP: 2.04 and 2.33 at their best q",
            ours=_shown(halves) or None, agrees=all(factor >= 2 for factor in halves.values()),
        )  # fmt: skip
        yield Claim(
            paper="AFR, the most diverse, is compressed least",
            ours=_shown(best) or None, agrees=bool(best) and min(best, key=best.__getitem__) == "AFR",
        )  # fmt: skip
        yield from _pca(rows, best)
    else:
        yield Claim(paper="The figures of Table S3", why="they are in the supplement, not in the article")
    yield _ratio(
        "Ours: at its best q it beats the best guess without latents (q = 0) by 1.3 or more", best, without, 1.3
    )
    arithmetic = factors(rows, [m for m in _methods(rows) if m.startswith("arithmetic coding")])
    yield _ratio(
        "Ours: yet arithmetic coding under the frequency of each SNP beats it everywhere", arithmetic, best, 1.0
    )
    if kind == "vae":
        latents = sorted({row["latents"] for row in rows if row["method"] == vae})
        gains = [_quotients(factors(rows, ["vae"], q), factors(rows, [vae], q)) for q in latents]
        least = {name: min(gain[name] for gain in gains if name in gain) for name in best}
        yield Claim(
            paper="Ours: bits-back coding (`vae`) stores 1.5 times as well as the paper counts, at every q",
            ours=f"times, at the q of the least: {_shown(least)}" if least else None,
            agrees=all(gain >= 1.5 for gain in least.values()), why=_short_of(least, 1.5),
        )  # fmt: skip


def _by_latents(rows: Sequence[Row], vae: str, q: int) -> Claim:
    published = dict(zip(PAPER_POPULATIONS, PAPER_VAE[q]))
    found = factors(rows, [vae], q)
    return Claim(
        paper=f"With {q} latents every population is smaller than at one bit a SNP: {_shown(published)}",
        ours=_shown(found) or None, agrees=all(factor > 1 for factor in found.values()), why=_short_of(found, 1),
    )  # fmt: skip


def _pca(rows: Sequence[Row], vae: Factors) -> Iterator[Claim]:
    right, wrong = (f"pca+rle, {COUNTED}", "pca+rle, mean not added back (the paper's mistake)")
    pca = factors(rows, [right])
    yield Claim(
        paper="PCA gives 0.21 to 0.42 everywhere, much the same at every q",
        ours=f"{_shown(pca)} at the best q; with the mean forgotten {_shown(factors(rows, [wrong]))}" if pca else None,
        agrees=all(factor < 0.5 for factor in pca.values()), why="the mean has to be added back" if pca else "",
    )  # fmt: skip
    yield _ratio("The VAE stores better than PCA in every population", vae, pca, 1.0)


def _table2(rows: Sequence[Row]) -> Iterator[Claim]:
    """Against one byte an allele, the paper's 10,000 SNPs beside the smallest subset here."""
    fewest = min((row["sites"] for row in rows), default=0)
    found = {row["method"]: row["factor_1_byte"] for row in rows if row["sites"] == fewest}
    ours = {
        "gzip": "gzip, bytes", "ZPAQ": "zpaq -m3, bytes", "Zstandard": "zstd -3, bytes", "bref3": "bref3",
        "VQ-VAE + Zstandard": "vqvae+zstd, paper settings",
    }  # fmt: skip
    published = dict(zip(ours, (17.3, 18.9, 9.9, 25.8, 32.8)))
    measured = {name: found[method] for name, method in ours.items() if method in found}
    yield Claim(
        paper=f"Factors against one byte an allele, 10,000 SNPs: {_shown(published, 1)}",
        ours=_shown(measured, 1) or None,
        agrees=_ranked(measured) == [name for name in _ranked(published) if name in measured],
        why="the order of the methods is another" if measured else "",
    )  # fmt: skip
    vq, zstd = measured.get("VQ-VAE + Zstandard"), measured.get("Zstandard")
    yield Claim(
        paper="VQ-VAE + Zstandard stores 3.3 times as well as Zstandard alone",
        ours=None if vq is None or zstd is None else f"{vq / zstd:.2f} times, without the model's bytes",
        agrees=vq is not None and zstd is not None and vq > zstd,
    )  # fmt: skip


def _half(rows: Sequence[Row], data: str) -> Iterator[Claim]:
    fewest = min((row["sites"] for row in rows), default=0)
    sizes = {row["method"]: row["bytes"] for row in rows if row["sites"] == fewest}
    for settings in ("paper", "sound"):
        theirs = sizes.get(f"vqvae+zstd, {settings} settings")
        ours = sizes.get(f"vqvae, level max, {settings} settings")
        share = ours / theirs if ours and theirs else None
        yield Claim(
            paper=f"Ours: `vqvae` takes at most half of `vqvae+zstd`, same model ({settings} settings, {data})",
            ours=None if share is None else f"{share:.3f} of them", agrees=share is not None and share <= 0.5,
        )  # fmt: skip


def _auto(rows: Sequence[Row], data: str) -> Claim:
    sizes = {row["method"]: row["bytes"] + row["model_bytes"] for row in rows}
    auto = {method: n for method, n in sizes.items() if method.startswith("auto")}
    others = {method: n for method, n in sizes.items() if method not in auto and n}
    best = min(others, key=others.__getitem__, default="")
    least = min(auto.values(), default=0)
    return Claim(
        paper=f"Ours: `auto` is never larger than any other row, model bytes counted ({data})",
        ours=f"auto {least:,} bytes, the smallest other row {others[best]:,.0f} ({best})" if auto and others else None,
        agrees=bool(others) and least <= others[best],
    )  # fmt: skip


def _methods(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["method"] for row in rows))


def _ranked(found: Factors) -> list[str]:
    return sorted(found, key=found.__getitem__)


def _quotients(of: Factors, to: Factors) -> Factors:
    return {name: factor / to[name] for name, factor in of.items() if name in to}


def _ratio(paper: str, of: Factors, to: Factors, least: float) -> Claim:
    gains = _quotients(of, to)
    return Claim(
        paper=paper, ours=f"times: {_shown(gains)}" if gains else None,
        agrees=all(gain >= least for gain in gains.values()), why=_short_of(gains, least),
    )  # fmt: skip


def _short_of(found: Factors, least: float) -> str:
    short = [name for name, factor in found.items() if factor < least]
    return f"not in {', '.join(short)}" if short else ""


def _shown(found: Factors, digits: int = 2) -> str:
    return ", ".join(f"{name} {factor:.{digits}f}" for name, factor in found.items())
