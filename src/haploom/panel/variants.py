"""The columns of a panel: where each site is and what its two alleles are.

No genotypes, no files.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

STRING = np.dtypes.StringDType()


@dataclass(frozen=True, eq=False, repr=False)
class Variants:
    """Biallelic sites in file order: contigs in one piece each, positions never going back within one.

    chrom, id, ref, alt: variable-length strings (n_sites,); `id` is "." where a site has none.
    position_bp: int64 (n_sites,), 1-based, of the first base of `ref`. Positions may repeat.
    contig_length_bp: lengths of contigs, where the source gave them.

    Raises ValueError when the columns differ in length or the sites are out of order.
    """

    chrom: np.ndarray
    position_bp: np.ndarray
    id: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    contig_length_bp: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("chrom", "id", "ref", "alt"):
            object.__setattr__(self, name, _own(getattr(self, name), STRING))
        object.__setattr__(self, "position_bp", _own(self.position_bp, np.int64))
        n_sites = len(self.position_bp)
        for name in ("chrom", "position_bp", "id", "ref", "alt"):
            column = getattr(self, name)
            if column.shape != (n_sites,):
                raise ValueError(f"variants: column {name} has shape {column.shape}, wanted ({n_sites},)")
        site = first_site_out_of_order(self.chrom, self.position_bp)
        if site is not None:
            raise ValueError(
                f"site {site} at {self.chrom[site]}:{self.position_bp[site]} goes back: "
                "contigs must be in one piece and positions must not decrease"
            )

    def __len__(self) -> int:
        return len(self.position_bp)

    def __repr__(self) -> str:
        return f"Variants({self.extent()})"

    def extent(self) -> str:
        """How many sites there are, and from where to where."""
        if not len(self):
            return "0 sites"
        first, last = (f"{self.chrom[site]}:{self.position_bp[site]}" for site in (0, -1))
        return f"{len(self):,} sites, {first} to {last}"

    @classmethod
    def joined(cls, parts: Sequence["Variants"]) -> "Variants":
        """Neighbouring parts of a file, one after another. Raises ValueError without any, or where they go back."""
        names = ("chrom", "position_bp", "id", "ref", "alt")
        chrom, position_bp, id_, ref, alt = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        return cls(chrom, position_bp, id_, ref, alt, parts[0].contig_length_bp)

    def select(self, sites: np.ndarray | slice) -> "Variants":
        """The sites of an index, mask or slice, in its order (which must keep positions from going back)."""
        return Variants(
            self.chrom[sites], self.position_bp[sites], self.id[sites], self.ref[sites], self.alt[sites],
            self.contig_length_bp,
        )  # fmt: skip

    def site_keys(self) -> list[str]:
        """`chrom:position:ref:alt` of each site: what makes a site the same site in two files."""
        columns = zip(self.chrom.tolist(), self.position_bp.tolist(), self.ref.tolist(), self.alt.tolist())
        return [f"{chrom}:{position}:{ref}:{alt}" for chrom, position, ref, alt in columns]

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the sites: their keys in order, a newline after each, in UTF-8.

        Identifiers and contig lengths do not count: they do not change what the alleles mean.
        """
        return hashlib.sha256("".join(f"{key}\n" for key in self.site_keys()).encode()).hexdigest()

    def contigs(self) -> list[str]:
        """Names of the contigs that have sites, in file order."""
        return list(dict.fromkeys(self.chrom.tolist()))

    def indices_of(self, wanted: "Variants") -> np.ndarray:
        """Where each wanted site is in these variants: int64 (len(wanted),), -1 where it is absent.

        Sites that repeat a key are matched first to first, second to second.
        """
        places: dict[str, list[int]] = {}
        for index, key in reversed(list(enumerate(self.site_keys()))):
            places.setdefault(key, []).append(index)
        found = [stack.pop() if (stack := places.get(key)) else -1 for key in wanted.site_keys()]
        return np.array(found, dtype=np.int64)


def _own(column: object, dtype: object) -> np.ndarray:
    """A read-only array of its own: the caller's stays as it is."""
    array = np.asarray(column, dtype=dtype)  # type: ignore[call-overload]
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def first_site_out_of_order(chrom: np.ndarray, position_bp: np.ndarray) -> int | None:
    """Index of the first site whose position decreases or whose contig was left before, or None."""
    starts_contig = np.ones(len(chrom), dtype=bool)
    starts_contig[1:] = chrom[1:] != chrom[:-1]
    decreases = np.zeros(len(chrom), dtype=bool)
    decreases[1:] = (np.diff(position_bp) < 0) & ~starts_contig[1:]
    seen: set[str] = set()
    returns = len(chrom)
    for site in np.flatnonzero(starts_contig).tolist():
        if chrom[site] in seen:
            returns = site
            break
        seen.add(chrom[site])
    first = min(int(np.argmax(decreases)) if decreases.any() else len(chrom), returns)
    return first if first < len(chrom) else None


def matching_contig(wanted: str, contigs: Sequence[str]) -> str:
    """The name among `contigs` that means `wanted`: itself, or with or without a `chr` before it.

    Returns `wanted` unchanged where nothing matches.
    """
    if wanted in contigs:
        return wanted
    other = wanted.removeprefix("chr") if wanted.startswith("chr") else f"chr{wanted}"
    return other if other in contigs else wanted
