"""Measure the genotype coder on the alleles of a VCF: bytes, seconds, memory, and whether they come back.

    python benchmarks/genotype_coder.py IN.vcf.gz [--levels fast,default,max] [--block 8192] >> RECORDS.jsonl

One JSON line a level. Blocks of sites are coded in parallel by threads; the seconds are those of the coder alone (no
VCF is read or written meanwhile), after one small block has compiled or loaded the kernels. Beside them stands
`bcftools view -Ob -l6` of the same text with the same number of threads, if bcftools is installed.
"""

import argparse
import json
import platform
import resource
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np
import pysam

from haploom.entropy_coding.genotype_block import CODEC_ID, LEARNED_CODEC_ID, LEVELS, decode_block, encode_block


def read_alleles(path: Path) -> np.ndarray:
    """Phased biallelic diploid genotypes without missing calls: uint8 (n_sites, n_haplotypes)."""
    rows = []
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            calls = str(record).rstrip("\n").split("\t", 9)[9]
            rows.append(np.frombuffer(calls.encode(), dtype=np.uint8)[::2] - ord("0"))
    alleles = np.stack(rows)
    if alleles.max() > 1:
        raise SystemExit(f"{path}: only phased 0 and 1 in FORMAT GT alone can be measured")
    return alleles


def machine() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def commit() -> str:
    run = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return run.stdout.strip()


def bcftools_seconds(path: Path, threads: int, repeats: int) -> list[float] | None:
    """Seconds bcftools takes to make a BCF of the plain text of `path`."""
    if shutil.which("bcftools") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        text, bcf = f"{folder}/in.vcf", f"{folder}/out.bcf"
        subprocess.run(["bcftools", "view", "--no-version", path, "-o", text], check=True)
        command = ["bcftools", "view", "-Ob", "-l6", "--threads", str(threads), text, "-o", bcf]
        took = []
        for _ in range(repeats):
            start = time.perf_counter()
            subprocess.run(command, check=True)
            took.append(round(time.perf_counter() - start, 3))
        return took


def measure(alleles: np.ndarray, level: str, block: int, threads: int, repeats: int) -> dict[str, object]:
    blocks = [alleles[start : start + block] for start in range(0, len(alleles), block)]
    encode_s, decode_s, verified = [], [], True
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats):
            start = time.perf_counter()
            coded = list(pool.map(encode_block, blocks, repeat(level)))
            encoded = time.perf_counter()
            decoded = list(pool.map(decode_block, coded, *zip(*(part.shape for part in blocks))))
            decode_s.append(round(time.perf_counter() - encoded, 3))
            encode_s.append(round(encoded - start, 3))
            verified = verified and all(np.array_equal(part, back) for part, back in zip(blocks, decoded))
            del decoded
    return {
        "output_bytes": sum(map(len, coded)), "model_bytes": 0, "n_blocks": len(blocks), "encode_s": encode_s,
        "decode_s": decode_s, "verified": verified,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vcf", type=Path)
    parser.add_argument("--levels", default=",".join(LEVELS))
    parser.add_argument("--block", type=int, default=8192, help="sites in a block")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    alleles = read_alleles(args.vcf)
    bcftools_s = bcftools_seconds(args.vcf, args.threads, args.repeats)
    # The peak counts the alleles read (one byte each) and those decoded beside them.
    for level in args.levels.split(","):
        decode_block(encode_block(alleles[:64], level), len(alleles[:64]), alleles.shape[1])
        figures = measure(alleles, level, args.block, args.threads, args.repeats)
        codec = LEARNED_CODEC_ID if level == "learned" else CODEC_ID
        record = {
            "task": f"genotypes/{args.vcf.name}", "tool": f"{codec}:{level}", "n_sites": len(alleles),
            "n_haplotypes": alleles.shape[1], "block_sites": args.block, "threads": args.threads,
            "input_u8_bytes": alleles.size, "input_bit_bytes": -(-alleles.size // 8), **figures,
            "bcftools_bcf_s": bcftools_s,
            "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "cpu": machine(), "gpu": None, "commit": commit(), "seed": None,
        }  # fmt: skip
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
