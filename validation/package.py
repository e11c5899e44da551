"""Is what would be published small, whole, and of use without torch?

    python validation/package.py

Builds the wheel and the source distribution, looks at what is in them, installs the wheel into an empty environment
without any extra, and there stores, checks, inspects and gives back a VCF; then installs the source distribution over
it and does it again. Prints what it found; exits with 1 if something is wrong. Needs `pip install build`, and an index
of packages to install from. About 2 minutes of a free machine.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_BYTES = 3_000_000
# The weights that --level max asks, trained on simulated panels; nothing else that was learned or measured is shipped.
SHIPPED_WEIGHTS = {"learned_expert.bin"}
LEARNED_OR_MEASURED = (".bin", ".safetensors", ".model", ".pt", ".npz", ".hlm", ".h5", ".jsonl")
VCF = """\
##fileformat=VCFv4.2
##source=odd spellings are kept
##contig=<ID=22,length=50818468>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tone\ttwo
22\t100\trs1\tA\tG\t.\tPASS\tAC=1;note=x\tGT:DP\t0|1:07\t./.:.
22\t200\t.\tC\tT,<DEL>\t1e2\t.\t.\tGT\t1|2\t0/0
22\t300\t.\tG\tA\t.\t.\t.\tGT\t0|0\t1|1
"""


def build(folder: Path) -> tuple[Path, Path]:
    """The wheel and the source distribution, of a copy: nothing is left in the checkout."""
    copy = folder / "checkout"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    command = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(copy)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (wheel,), (source,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
    return wheel, source


def members(package: Path) -> dict[str, int]:
    """Names and bytes of the files in a package."""
    if package.suffix == ".whl":
        return {each.filename: each.file_size for each in zipfile.ZipFile(package).infolist() if not each.is_dir()}
    with tarfile.open(package) as archive:
        return {each.name: each.size for each in archive.getmembers() if each.isfile()}


def problems_of(package: Path) -> list[str]:
    """What is wrong with a package's size and content."""
    inside = members(package)
    size = package.stat().st_size
    print(f"{package.name}: {size:,} bytes, {len(inside)} files")
    found = [f"{package.name} has {size:,} bytes, wanted {MOST_BYTES:,} at most"] if size > MOST_BYTES else []
    # Test vectors are archives of simulated people; only the source distribution has tests.
    learned = {name for name in inside if name.endswith(LEARNED_OR_MEASURED) and "/tests/" not in name}
    if others := sorted(name for name in learned if Path(name).name not in SHIPPED_WEIGHTS):
        found.append(f"{package.name} holds {', '.join(others)}")
    wanted = {*SHIPPED_WEIGHTS, "py.typed", "LICENSE"}
    return found + [f"{package.name} lacks {name}" for name in wanted - {Path(name).name for name in inside}]


class Environment:
    """An empty virtual environment, and a folder that its commands run in."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.work = folder / "venv" / "bin", folder / "work"
        self.work.mkdir()
        # Nothing of the environment that runs this may be found.
        hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
        self.variables = {name: value for name, value in os.environ.items() if name not in hidden}
        subprocess.run([sys.executable, "-m", "venv", str(self.bin.parent)], check=True)

    def install(self, *packages: str) -> None:
        subprocess.run([self.bin / "python", "-m", "pip", "install", "-q", *packages], env=self.variables, check=True)

    def haploom(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.bin / "haploom", *command], cwd=self.work, env=self.variables, capture_output=True, text=True
        )


def problems_in_use(environment: Environment) -> list[str]:
    """What does not work without an extra."""
    (environment.work / "in.vcf").write_text(VCF)
    (environment.work / "labels.tsv").write_text("sample\tpopulation\none\tX\ntwo\tX\n")
    found = []
    for command in (
        ["--help"],
        ["doctor"],
        ["compress", "in.vcf", "-o", "a.hlm", "--force"],
        ["compress", "in.vcf", "-o", "max.hlm", "--level", "max", "--force"],
        ["verify", "a.hlm", "--against", "in.vcf"],
        ["verify", "max.hlm", "--against", "in.vcf"],
        ["inspect", "a.hlm"],
        ["decompress", "a.hlm", "-o", "again.vcf", "--force"],
        ["convert", "in.vcf", "-r", "22:300", "-o", "part.bcf", "--force"],
    ):
        done = environment.haploom(*command)
        if done.returncode:
            found.append(f"haploom {' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()}")
    if (environment.work / "again.vcf").read_bytes() != VCF.encode():
        found.append("what was decompressed is not what was compressed")
    needs_torch = environment.haploom("train", "part.bcf", "--populations", "labels.tsv", "-o", "m.model")
    if needs_torch.returncode != 3 or "pip install 'haploom[models]'" not in needs_torch.stderr:
        found.append(f"train without torch: exit code {needs_torch.returncode}: {needs_torch.stderr.strip()}")
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel, source = build(folder)
        found = problems_of(wheel) + problems_of(source)
        environment = Environment(folder)
        environment.install(str(wheel))
        found += problems_in_use(environment)
        environment.install("--force-reinstall", "--no-deps", str(source))
        found += problems_in_use(environment)
    print("\n".join(found) or "wheel and source distribution install, and work without torch")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
