"""Small VCFs made by hypothesis, and a slow reader of them in plain Python: what the fast one is held against."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import strategies as st

from haploom.panel import Panel

needs_bcftools = pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not installed")
QUERY = "%CHROM\t%POS\t%ID\t%REF\t%ALT[\t%GT]\n"


def bcftools(*arguments: object) -> list[str]:
    """Lines bcftools prints."""
    done = subprocess.run(["bcftools", *map(str, arguments)], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def as_rows(panel: Panel) -> list[str]:
    """A panel as `bcftools query -f QUERY` prints it."""
    variants = panel.variants
    columns = (variants.chrom, variants.position_bp, variants.id, variants.ref, variants.alt)
    alleles = panel.alleles().T.reshape(panel.n_sites, -1, 2).tolist()
    fixed = zip(*(column.tolist() for column in columns))
    return ["\t".join([*map(str, site), *(f"{a}|{b}" for a, b in calls)]) for site, calls in zip(fixed, alleles)]


def written(folder: Path, vcf: "Vcf | bytes", name: str = "in.vcf") -> Path:
    """A file with that text."""
    path = folder / name
    path.write_bytes(vcf if isinstance(vcf, bytes) else vcf.bytes())
    return path


@dataclass
class Record:
    chrom: str
    position: int
    id: str
    ref: str
    alt: str
    calls: list[str]
    format: str = "GT"

    def line(self) -> str:
        fixed = [self.chrom, str(self.position), self.id, self.ref, self.alt, "50", "PASS", "AC=1;X=a,b", self.format]
        return "\t".join([*fixed, *self.calls])


@dataclass
class Vcf:
    samples: list[str]
    records: list[Record] = field(default_factory=list)
    line_end: str = "\n"
    final_line_end: bool = True

    def bytes(self) -> bytes:
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *self.samples]
        lines = [
            "##fileformat=VCFv4.2",
            "##contig=<ID=22,assembly=b37,length=51304566>",
            '##INFO=<ID=X,Description="a,b">',
        ]
        lines += ["\t".join(columns), *(record.line() for record in self.records)]
        text = self.line_end.join(lines)
        return (text + self.line_end if self.final_line_end else text).encode()


def slow_dosages(vcf: Vcf) -> list[list[int]]:
    """Alternate alleles, people x sites; -1 where an allele is missing."""
    rows = []
    for person in range(len(vcf.samples)):
        calls = [record.calls[person].split(":")[0].replace("/", "|").split("|") for record in vcf.records]
        rows.append([-1 if "." in call else sum(map(int, call)) for call in calls])
    return rows


def slow_alleles(vcf: Vcf) -> list[list[int]]:
    """Alleles, haplotypes x sites."""
    calls = [[call.split(":")[0].split("|") for call in record.calls] for record in vcf.records]
    return [[int(site[row // 2][row % 2]) for site in calls] for row in range(2 * len(vcf.samples))]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
ALLELES = st.text("ACGT", min_size=1, max_size=4)
PHASED = st.sampled_from(["0|0", "0|1", "1|0", "1|1"])
UNPHASED = st.sampled_from(["0/0", "0/1", "1|1", "./.", ".|.", ".", "0/.", "./1", ".|1"])
EXTRAS = st.sampled_from(["", ":", ":12:0,3", ":."])


@st.composite
def vcfs(draw: st.DrawFn, phased: bool = True, max_sites: int = 20) -> Vcf:
    samples = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    contigs = draw(st.lists(st.sampled_from(["22", "chrX", "HLA-A*01:01", "1"]), min_size=1, max_size=3, unique=True))
    calls = PHASED if phased else PHASED | UNPHASED
    records = []
    for contig in contigs:
        positions = sorted(draw(st.lists(st.integers(1, 60), max_size=max_sites // len(contigs))))
        for position in positions:
            more = draw(st.booleans())
            row = [draw(calls) + (draw(EXTRAS) if more else "") for _ in samples]
            id_, ref, alt = draw(st.sampled_from([".", "rs1", "a;b"])), draw(ALLELES), draw(ALLELES | st.just("<DEL>"))
            records.append(Record(contig, position, id_, ref, alt, row, "GT:DP:PL" if more else "GT"))
    return Vcf(samples, records, draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans()))
