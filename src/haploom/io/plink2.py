"""PLINK 2: phased or unphased genotypes in .pgen, sites in .pvar (or .pvar.zst, .bim), people in .psam (or .fam).

Hard calls are read; fractional dosages are left behind. Columns of a .psam that hold words, not numbers, are
label levels, and label levels are written so. Source: PLINK 2.0's file format pages; pgenlib reads and writes .pgen.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from haploom import progress
from haploom.errors import FormatError, HaploomError
from haploom.io import plink_text
from haploom.io.extras import load
from haploom.io.output import atomic_output
from haploom.io.site_tables import Calls, SiteTable, checked_variants
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.dosages import MISSING
from haploom.panel.variants import STRING

_PGEN_MISSING = -9
_NOT_LABELS = ("FID", "IID", "SID", "PAT", "MAT", "SEX")
_FAM_COLUMNS = ["FID", "IID", "PAT", "MAT", "SEX", "PHENO1"]
_BIM_COLUMNS = ["CHROM", "ID", "CM", "POS", "ALT", "REF"]
_BLOCK_BYTES = 1 << 24


@dataclass(frozen=True, eq=False)
class _PgenTable(SiteTable):
    pgen: Any
    female: np.ndarray  # bool (n_samples,)

    def check_chosen(self, sites: np.ndarray, people: np.ndarray) -> None:
        super().check_chosen(sites, people)
        site = plink_text.first_not_diploid(self.variants.chrom, sites, bool(self.female[people].all()))
        if site is not None:
            raise self.site_error(site, plink_text.NOT_DIPLOID)

    def calls(self, sites: np.ndarray, people: np.ndarray) -> Calls:
        back = self._subset(people)
        alleles = np.empty((len(sites), 2 * len(people)), dtype=np.int32)
        phased = np.empty((len(sites), len(people)), dtype=np.uint8)
        self.pgen.read_alleles_and_phasepresent_list(sites.astype(np.uint32), alleles, phased)
        pairs = alleles.astype(np.int8).reshape(len(sites), len(people), 2).take(back, axis=1)
        pairs[pairs == _PGEN_MISSING] = MISSING
        heterozygous = pairs[..., 0] != pairs[..., 1]  # only these have a phase in a .pgen
        return Calls(pairs, (phased[:, back] != 0) | ~heterozygous)

    def dosages(self, sites: np.ndarray, people: np.ndarray) -> np.ndarray:
        back = self._subset(people)
        dosages = np.empty((len(sites), len(people)), dtype=np.int8)
        self.pgen.read_list(sites.astype(np.uint32), dosages)
        dosages[dosages == _PGEN_MISSING] = MISSING
        return np.ascontiguousarray(dosages[:, back].T)

    def _subset(self, people: np.ndarray) -> np.ndarray:
        """Read these people from now on, which pgenlib does in the file's order; returns where each one then is."""
        order = np.argsort(people)
        self.pgen.change_sample_subset(people[order].astype(np.uint32))
        back = np.empty(len(people), dtype=np.int64)
        back[order] = np.arange(len(people))
        return back


@contextmanager
def open_table(source: Path) -> Iterator[SiteTable]:
    """The data set whose .pgen is `source`. Raises FormatError, MissingExtraError."""
    pgenlib = load("pgenlib", "pgenlib", "Reading PLINK 2 files")
    psam = plink_text.beside(source, ".psam", ".fam")
    columns = _people(psam)
    samples = plink_text.sample_names(psam, columns["FID"], columns["IID"])
    variants = _read_pvar(plink_text.beside(source, ".pvar", ".pvar.zst", ".bim"))
    female = np.isin(columns["SEX"], (plink_text.FEMALE, "F", "f"))
    labels = {name: np.array(column, dtype=STRING) for name, column in columns.items() if _are_labels(name, column)}
    n_alleles = 2 + np.strings.count(variants.alt, ",")
    offsets = np.concatenate([[0], np.cumsum(n_alleles)]).astype(np.uintp) if (n_alleles > 2).any() else None
    try:
        with pgenlib.PgenReader(
            str(source).encode(), raw_sample_ct=len(samples), variant_ct=len(variants), allele_idx_offsets=offsets
        ) as pgen:
            yield _PgenTable(source, samples, variants, labels, pgen, female)
    except RuntimeError as error:  # all that pgenlib raises
        problem = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise FormatError(
            f"{source}: pgenlib cannot read it ({problem.strip()}): is it damaged, "
            "or from another data set than the .pvar and .psam beside it?"
        ) from error


def _people(path: Path) -> dict[str, list[str]]:
    """Columns of a .psam, or of a .fam, which has no header; FID and SEX are `0` where absent."""
    rows = list(plink_text.rows_of(path, 1))
    header = [(number, fields) for number, fields in rows if fields[0].startswith("#")]
    names = [name.removeprefix("#") for name in header[-1][1]] if header else _FAM_COLUMNS
    if names[0] not in ("FID", "IID") or "IID" not in names:
        raise FormatError(f"{path}: the columns are {' '.join(names)}: wanted #FID IID or #IID first")
    people = rows[len(header) :]
    for number, fields in people:
        if len(fields) != len(names):
            raise FormatError(f"{path}, line {number}: {len(fields)} columns, wanted {len(names)}: {' '.join(names)}")
    unknown = ["0"] * len(people)
    return {
        "FID": unknown, "SEX": unknown,
        **{name: [fields[column] for _, fields in people] for column, name in enumerate(names)},
    }  # fmt: skip


def _are_labels(name: str, column: list[str]) -> bool:
    """Whether a column of a .psam holds words; plink2 takes as numbers what begins like one, and NA."""
    return name not in _NOT_LABELS and not any(_is_number(value) for value in column)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return value.upper() == "NA"
    return True


def _read_pvar(path: Path) -> Variants:
    from haploom.io.vcf_header import contig_line

    lengths: dict[str, int] = {}
    names: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    with _text(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("##"):
                contig, length = contig_line(line.encode())
                if contig is not None and length is not None:
                    lengths[contig] = length
            elif line.startswith("#"):
                names = line[1:].split()
            elif line.strip():
                rows.append((number, line.split(None, len(names)) if names else line.split()))
    if not names:  # as a .bim, with or without centimorgans
        names = [name for name in _BIM_COLUMNS if name != "CM" or (rows and len(rows[0][1]) > 5)]
    if not {"CHROM", "POS", "ID", "REF", "ALT"} <= set(names):
        raise FormatError(f"{path}: the columns are {' '.join(names)}: wanted CHROM POS ID REF ALT among them")
    for number, fields in rows:
        if len(fields) < len(names):
            raise FormatError(f"{path}, line {number}: {len(fields)} columns, wanted {len(names)}: is it cut short?")
    columns = {
        key: [fields[names.index(name)] for _, fields in rows]
        for key, name in (("chrom", "CHROM"), ("id", "ID"), ("ref", "REF"), ("alt", "ALT"))
    }
    positions = plink_text.positions_bp(path, rows, names.index("POS"))
    remedy = "sort with `plink2 --sort-vars --make-pgen`"
    return checked_variants(path, {**columns, "position_bp": positions, "contig_length_bp": lengths}, remedy)


@contextmanager
def _text(path: Path) -> Iterator[io.TextIOBase]:
    """Lines of a .pvar, compressed with zstd or not."""
    try:
        with open(path, "rb") as raw:
            plain = zstandard.ZstdDecompressor().stream_reader(raw) if path.suffix == ".zst" else raw
            with io.TextIOWrapper(plain, encoding="utf-8") as lines:
                yield lines
    except (zstandard.ZstdError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: it is damaged ({error}): get the file again") from error


def write_plink2(panel: Panel | DosagePanel, path: Path, force: bool = False, header_lines: Sequence[str] = ()) -> None:
    """Write .pgen, .pvar and .psam; `path` names the .pgen. Haplotypes stay phased; label levels go to the .psam.
    header_lines: more `##` lines of the .pvar.

    Raises HaploomError for names, labels and chromosomes PLINK cannot hold, a panel without sites (a .pgen has one
    at least), or when a file exists and not `force`; MissingExtraError without pgenlib.
    """
    pgenlib = load("pgenlib", "pgenlib", "Writing PLINK 2 files")
    plink_text.check_writable(panel.variants, panel.samples, path)
    if not panel.n_sites:
        raise HaploomError(f"cannot write {path}: a .pgen has one site at least, and none is left here")
    with ExitStack() as stack:
        pgen, pvar, psam = (
            stack.enter_context(atomic_output(path.with_suffix(suffix), force))
            for suffix in (".pgen", ".pvar", ".psam")
        )
        psam.write_text(_psam_text(panel, path))
        with open(pvar, "w") as file:
            for name, length in panel.variants.contig_length_bp.items():
                file.write(f"##contig=<ID={name},length={length}>\n")
            file.writelines(f"{line}\n" for line in header_lines)
            file.write("#CHROM\tPOS\tID\tREF\tALT\n")
            file.writelines("\t".join(map(str, site)) + "\n" for site in plink_text.site_columns(panel.variants))
        writer = pgenlib.PgenWriter(
            str(pgen).encode(), panel.n_samples, variant_ct=panel.n_sites, nonref_flags=False,
            hardcall_phase_present=isinstance(panel, Panel),
        )  # fmt: skip
        _write_calls(panel, writer)
        writer.close()  # after an error it must not be closed: pgenlib would complain of the sites not written


def _psam_text(panel: Panel | DosagePanel, path: Path) -> str:
    levels = list(panel.populations)
    columns = [panel.populations[level].tolist() for level in levels]
    for level, column in zip(levels, columns):
        for word in (level, *column):
            if len(word.split()) != 1 or _is_number(word) or level in _NOT_LABELS:
                raise HaploomError(
                    f"cannot write {path}: a .psam cannot hold label {word!r} of {level!r}: "
                    "wanted one word that is no number; convert to HDF5, or rename it"
                )
    rows = zip(panel.samples, ["NA"] * panel.n_samples, *columns)
    return "\n".join("\t".join(row) for row in [("#IID", "SEX", *levels), *rows]) + "\n"


def _write_calls(panel: Panel | DosagePanel, writer: Any) -> None:
    step = 8 * max(1, _BLOCK_BYTES // (64 * panel.n_samples))
    with progress.task("Writing sites", total=panel.n_sites) as advance:
        for start in range(0, panel.n_sites, step):
            stop = min(start + step, panel.n_sites)
            if isinstance(panel, Panel):
                packed = panel.bits[:, start // 8 : -(-stop // 8)]
                alleles = np.unpackbits(packed, axis=1, count=stop - start)
                writer.append_alleles_batch(np.ascontiguousarray(alleles.T, dtype=np.int32), all_phased=True)
            else:
                dosages = np.ascontiguousarray(panel.dosages[:, start:stop].T)
                dosages[dosages == MISSING] = _PGEN_MISSING
                writer.append_biallelic_batch(dosages)
            advance(stop - start)
