"""The compressors measured side by side, each as the lines of shell that pack and unpack with it.

All run in one folder that holds `in.vcf`, the text, and `in.bits`, its haplotypes: a row each, packed to bits.
"""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import haploom

TEXT, BITS = "in.vcf", "in.bits"
BACK = "back"  # what unpacking writes

# Its reader, which the program bref3 lacks, is a class of Debian's package `beagle`.
BEAGLE_JAR = "/usr/share/beagle/beagle.jar"
_HERE = str(Path(haploom.__file__).absolute().parents[1])  # this very package, wherever the command runs
_OURSELVES = shlex.join(
    [sys.executable, "-c", f"import sys; sys.path.insert(0, {_HERE!r}); from haploom.cli import main; main()"]
)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program with its settings.

    name: what --tools and the records call it. source: TEXT or BITS. pack, unpack: lines of shell, where {threads}
    stands for a number, {haploom} for this very program and {labels} for its option --populations; unpack writes
    BACK. outputs: the files that pack writes and that have to be kept. genotype_file: the one of them that holds
    the genotypes alone. version: prints the version somewhere. needs: files besides the programs.
    """

    name: str
    source: str
    pack: str
    unpack: str
    outputs: tuple[str, ...] = ("out",)
    genotype_file: str | None = None
    version: str
    needs: tuple[str, ...] = ()

    @property
    def programs(self) -> tuple[str, ...]:
        """Programs that have to be on PATH; those of {haploom} are here."""
        first = dict.fromkeys(line.split()[0] for line in (self.pack, self.unpack))
        return tuple(name for name in first if name != "{haploom}")

    def is_installed(self) -> bool:
        return all(map(shutil.which, self.programs)) and all(Path(file).exists() for file in self.needs)

    def version_text(self) -> str:
        """The version, or "unknown"."""
        line = self.version.format(haploom=_OURSELVES)
        done = subprocess.run(line, shell=True, capture_output=True, stdin=subprocess.DEVNULL)
        found = re.search(r"\d+\.\w[\w.]*", (done.stdout + done.stderr).decode(errors="replace"))
        return found[0].removesuffix(".jar") if found else "unknown"


def command_line(line: str, threads: int, populations: Path | None, shown: bool = False) -> str:
    """A line of a tool to run, or (shown) to write down, without paths of this machine."""
    labels = ""
    if populations is not None:
        labels = f" --populations {shlex.quote(populations.name if shown else str(populations.absolute()))}"
    return line.format(threads=threads, haploom="haploom" if shown else _OURSELVES, labels=labels)


def _ours(level: str) -> Tool:
    return Tool(
        name=f"haploom-{level}",
        source=TEXT,
        pack=f"{{haploom}} compress {TEXT} -o out.hlm --level {level} --no-verify --threads {{threads}}{{labels}}",
        unpack=f"{{haploom}} decompress out.hlm -o {BACK}.vcf --threads {{threads}}",
        outputs=("out.hlm",),
        genotype_file="out.hlm",
        version="{haploom} --version",
    )


def _byte_codec(name: str, source: str, pack: str, unpack: str) -> Tool:
    return Tool(
        name=name,
        source=source,
        pack=f"{pack} -c {source} > out",
        unpack=f"{unpack} -c out > {BACK}",
        genotype_file="out" if source == BITS else None,
        version=f"{pack.split()[0]} --version",
    )


def _zpaq(name: str, source: str, method: int) -> Tool:
    return Tool(
        name=name,
        source=source,
        pack=f"zpaq a out.zpaq {source} -m{method} -t{{threads}}",
        unpack=f"zpaq x out.zpaq {source} -to {BACK} -t{{threads}}",
        outputs=("out.zpaq",),
        genotype_file="out.zpaq" if source == BITS else None,
        version="zpaq",
    )


def _bcf(level: int) -> Tool:
    return Tool(
        name=f"bcftools-l{level}",
        source=TEXT,
        pack=f"bcftools view --no-version -Ob -l{level} --threads {{threads}} {TEXT} -o out.bcf",
        unpack=f"bcftools view --no-version --threads {{threads}} out.bcf -o {BACK}",
        outputs=("out.bcf",),
        version="bcftools --version",
    )


TOOLS = (
    *map(_ours, ("fast", "default", "max")),
    _byte_codec("gzip", TEXT, "gzip -9", "gzip -d"),
    _byte_codec("xz", TEXT, "xz -6 -T{threads}", "xz -d -T{threads}"),
    _byte_codec("zstd", TEXT, "zstd -19 --long=27 -T{threads}", "zstd -d --long=27"),
    _zpaq("zpaq-m3", TEXT, 3),
    _bcf(6),
    _bcf(9),
    Tool(
        name="plink2",
        source=TEXT,
        pack=f"plink2 --vcf {TEXT} --make-pgen vzs --threads {{threads}} --out out",
        unpack=f"plink2 --pfile out vzs --export vcf-4.2 --threads {{threads}} --out {BACK}",
        outputs=("out.pgen", "out.pvar.zst", "out.psam"),
        genotype_file="out.pgen",
        version="plink2 --version",
    ),
    Tool(
        name="bref3",
        source=TEXT,
        pack=f"bref3 {TEXT} > out",
        unpack=f"java -cp {BEAGLE_JAR} bref.UnBref3 out > {BACK}",
        version="bref3 help",
        needs=(BEAGLE_JAR,),
    ),
    _byte_codec("xz-bits", BITS, "xz -9e", "xz -d"),
    _byte_codec("zstd-bits", BITS, "zstd -19 --long=27", "zstd -d --long=27"),
    _zpaq("zpaq-bits", BITS, 5),
)
