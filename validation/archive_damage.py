"""Do damaged archives ever give wrong data? The long check behind tests/archive/test_damage.py.

    python validation/archive_damage.py [--cases 10000] [--workers 2] [--first 0]

Each case damages one of a few archives in one way: flipped bits, overwritten, removed, added or repeated bytes, cuts,
sections that changed places, and lies in a manifest whose own checksum is right, or in stored bytes whose checksum is
right. It must then give an error made for users, or exactly what was stored, from each of: the text, a selection of
records and people, the panel. A process may hold 2 GiB and take 60 seconds for a case. About 2 minutes with 2 workers.
"""

import argparse
import collections
import copy
import faulthandler
import hashlib
import json
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np

from haploom.archive import open_archive
from haploom.compression import compress, writer
from haploom.entropy_coding.byte_packing import pack_bytes, unpack_bytes
from haploom.errors import HaploomError

MOST_BYTES = 2 << 30
SECONDS_A_CASE = 60
NEURAL = Path(__file__).parents[1] / "tests" / "vectors" / "archive-1" / "phased-neural.hlm"
CASES_A_PROCESS = 250
FOOTER = struct.Struct("<QIII8s")
REGIONS, PEOPLE = ("22:1100-1900",), ("S3", "S0")


def plain_text(rng: np.random.Generator, n_records: int = 150, n_people: int = 12) -> bytes:
    """Phased diploid calls, INFO that follows from them, and IDs."""
    ancestors = rng.random((4, n_records)) < rng.beta(0.3, 0.6, n_records)
    switches = np.cumsum(rng.random((2 * n_people, n_records)) < 0.02, axis=1) + rng.integers(4, size=(2 * n_people, 1))
    alleles = ancestors[switches % 4, np.arange(n_records)].astype(int)
    lines = []
    for record, column in enumerate(alleles.T):
        n = column.sum()
        info = f"AC={n};AF={n / len(column):.6g};AN={len(column)};DP={rng.integers(9000, 9999)}"
        calls = "\t".join(f"{a}|{b}" for a, b in zip(column[::2], column[1::2]))
        lines.append(f"22\t{1000 + 7 * record}\trs{5000 + 3 * record}\tA\tG\t100\tPASS\t{info}\tGT\t{calls}\n")
    return (header(n_people) + "".join(lines)).encode()


def odd_text(rng: np.random.Generator, n_records: int = 150, n_people: int = 6) -> bytes:
    """Calls and fields of all kinds, several alleles and contigs, line ends and lines out of place."""
    calls = ["0|0", "0|1", "0/1", "./.", "2|1", "1", ".", "0|1|2", "00|1", ""]
    formats = ["GT", "GT:DP", "GT:AD:DP:GQ:PL", "DP", "DP:GT"]
    lines = []
    for record in range(n_records):
        keys = str(rng.choice(formats)).split(":")
        cells = []
        for _ in range(n_people):
            values = {
                "GT": rng.choice(calls, p=[0.5, 0.2, *[0.3 / 8] * 8]),
                "DP": rng.integers(60),
                "GQ": rng.integers(99),
            }
            values |= {key: ",".join(map(str, rng.integers(0, 99, 3))) for key in ("AD", "PL")}
            cells.append(":".join(str(values[key]) for key in keys[: rng.integers(1, len(keys) + 1)]))
        columns = [
            str(rng.choice(["22", "X"], p=[0.9, 0.1])), str(1000 + 7 * record + rng.integers(-9, 9)),
            str(rng.choice([".", f"rs{record}"])), str(rng.choice(["A", "ACGT"])),
            str(rng.choice(["C", "G,T", "<DEL>"])), str(rng.choice([".", "50", "1e-05"])), "PASS",
            f"END={1100 + 7 * record};AF={rng.random():.3f};X",
            ":".join(keys), *cells,
        ]  # fmt: skip
        lines.append("\t".join(columns) + str(rng.choice(["\n", "\r\n"], p=[0.95, 0.05])))
        if rng.random() < 0.03:
            lines.append("##out of place\n")
    return (header(n_people) + "".join(lines)).encode()


def sites_text(rng: np.random.Generator) -> bytes:
    """Records without samples."""
    lines = [line.rsplit("\t", 13)[0] + "\n" for line in plain_text(rng).decode().splitlines() if line[0] != "#"]
    return (header(None) + "".join(lines)).encode()


def header(n_people: int | None) -> str:
    """The lines before the records; None for no FORMAT."""
    people = "" if n_people is None else "\t".join(["\tFORMAT", *(f"S{person}" for person in range(n_people))])
    return (
        "##fileformat=VCFv4.2\n##contig=<ID=22,length=51304566>\n##contig=<ID=X>\n"
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO{people}\n"
    )


def make_archives(folder: Path) -> list[Path]:
    """The archives that are damaged: of several blocks, and one of a neural codec, which has one."""
    rng = np.random.default_rng(0)
    paths = []
    for name, text in {"plain": plain_text(rng), "odd": odd_text(rng), "sites": sites_text(rng)}.items():
        source = folder / f"{name}.vcf"
        source.write_bytes(text)
        for level in writer.LEVELS if name == "plain" else ["default"]:
            paths.append(folder / f"{name}-{level}.hlm")
            with mock.patch.dict(writer.LEVELS, {level: writer.BlockLimits(60, 1 << 20, 1 << 20)}):
                compress(source, paths[-1], level=level, force=True)
    return [*paths, Path(shutil.copy(NEURAL, folder))]


# What a reader may be asked; each gives the SHA-256 of what was read.


def read_text(path: Path) -> str:
    return _sha256(open_archive(path).text())


def read_selection(path: Path) -> str:
    archive = open_archive(path)
    return _sha256(archive.select_text(REGIONS, PEOPLE if archive.samples else None))


def read_panel(path: Path) -> str:
    panel = open_archive(path).read(REGIONS)
    return _sha256([panel.bits.tobytes(), panel.variants.fingerprint().encode(), repr(panel.samples).encode()])


READERS: dict[str, Callable[[Path], str]] = {"text": read_text, "selection": read_selection, "panel": read_panel}


def _sha256(pieces: Iterator[bytes] | list[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def answers(path: Path) -> dict[str, str]:
    """What each reader says of a file; "error" where it raises what is made for users. Other errors pass through."""
    said = {}
    for name, read in READERS.items():
        try:
            said[name] = read(path)
        except HaploomError:
            said[name] = "error"
    return said


# Damage: bytes and a source of chance in, other bytes out.


def flip_bits(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for place in rng.integers(0, len(out), rng.integers(1, 5)):
        out[place] ^= 1 << int(rng.integers(8))
    return bytes(out)


def overwrite(data: bytes, rng: np.random.Generator) -> bytes:
    first, after = _stretch(data, rng)
    return data[:first] + (rng.bytes(after - first) if rng.random() < 0.5 else bytes(after - first)) + data[after:]


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(0, len(data))]


def remove(data: bytes, rng: np.random.Generator) -> bytes:
    first, after = _stretch(data, rng)
    return data[:first] + data[after:]


def insert(data: bytes, rng: np.random.Generator) -> bytes:
    first, after = _stretch(data, rng)
    return data[:first] + (rng.bytes(after - first) if rng.random() < 0.5 else data[first:after]) + data[first:]


def swap_stored(data: bytes, rng: np.random.Generator) -> bytes:
    """Two sections change places in the file."""
    sections, _ = _parts(data)
    one, two = sorted((sections[name] for name in rng.choice(sorted(sections), 2, replace=False)), key=_offset)
    a, b = (slice(s["offset"], s["offset"] + s["stored_bytes"]) for s in (one, two))
    return data[: a.start] + data[b] + data[a.stop : b.start] + data[a] + data[b.stop :]


def swap_in_manifest(data: bytes, rng: np.random.Generator) -> bytes:
    """Two sections, or two blocks, change places in a manifest that has its checksum."""
    manifest = _manifest(data)
    blocks = manifest["blocks"]
    i, j = rng.permutation(len(blocks))[[0, -1]]
    kinds = rng.permutation(["sites", "genotypes", "cells", "annotations"])[: rng.integers(0, 5)]
    if rng.random() < 0.5:
        blocks[i], blocks[j] = blocks[j], blocks[i]
    sections = manifest["sections"]
    for kind in kinds:
        sections[f"{i}/{kind}"], sections[f"{j}/{kind}"] = sections[f"{j}/{kind}"], sections[f"{i}/{kind}"]
    return _with_manifest(data, manifest)


def lie(data: bytes, rng: np.random.Generator) -> bytes:
    """A size in a manifest that has its checksum is not the true one."""
    manifest = _manifest(data)
    for _ in range(rng.integers(1, 4)):
        places = [
            *((manifest, key) for key in ("n_samples", "text_bytes")),
            *((block, key) for block in manifest["blocks"] for key in ("n_records", "text_bytes")),
            *((section, key) for section in manifest["sections"].values() for key in section if key != "codec"),
        ]
        where, key = places[rng.integers(len(places))]
        size = where[key]
        lies = [0, 1, size + 1, size - 1, 2 * size, 1 << 16, 1 << 31, 1 << 40, (1 << 62) - 1, -1, 10**30]
        where[key] = lies[rng.integers(len(lies))]
        if rng.random() < 0.3:  # so that the sum of all texts is right again
            manifest["text_bytes"] = manifest["sections"]["header"]["decoded_bytes"] + sum(
                block["text_bytes"] for block in manifest["blocks"]
            )
    return _with_manifest(data, manifest)


def lie_in_footer(data: bytes, rng: np.random.Generator) -> bytes:
    values = list(FOOTER.unpack(data[-FOOTER.size :]))
    place = rng.integers(3)
    values[place] = int(rng.choice([0, 1, values[place] + 1, values[place] - 1, 2**31, 2**32 - 1]))
    return data[: -FOOTER.size] + FOOTER.pack(*values)


def feed_decoders(data: bytes, rng: np.random.Generator) -> bytes:
    """A section's stored bytes are others, and their checksum and length are right: only its decoder can tell."""
    sections, manifest = _parts(data)
    name = str(rng.choice(sorted(sections)))
    section = sections[name]
    end = section["offset"] + section["stored_bytes"]
    stored = data[section["offset"] : end]
    ways = [flip_bits, overwrite, cut, remove, insert]
    stored = ways[rng.integers(len(ways))](stored, rng) if stored else stored
    # The section's new bytes go to the end of the sections.
    section["offset"], section["stored_bytes"] = _sections_end(data), len(stored)
    section["stored_crc32"] = zlib.crc32(stored, zlib.crc32(name.encode()))
    return _with_manifest(data[: _sections_end(data)] + stored + data[_sections_end(data) :], manifest, len(stored))


DAMAGES: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    flip_bits, overwrite, cut, remove, insert, swap_stored, swap_in_manifest, lie, lie_in_footer, feed_decoders,
)  # fmt: skip


def _stretch(data: bytes, rng: np.random.Generator) -> tuple[int, int]:
    first = int(rng.integers(0, len(data)))
    return first, min(first + int(2 ** rng.uniform(0, 10)), len(data))


def _offset(section: dict) -> int:
    return section["offset"]


def _sections_end(data: bytes) -> int:
    return FOOTER.unpack(data[-FOOTER.size :])[0]


def _manifest(data: bytes) -> dict:
    begin, n_stored, n_text, _, _ = FOOTER.unpack(data[-FOOTER.size :])
    return json.loads(unpack_bytes(data[begin : begin + n_stored], n_text))


def _parts(data: bytes) -> tuple[dict, dict]:
    """The sections of a manifest, and all of it."""
    manifest = copy.deepcopy(_manifest(data))
    return manifest["sections"], manifest


def _with_manifest(data: bytes, manifest: dict, n_added: int = 0) -> bytes:
    """The sections of `data`, `n_added` bytes more than its footer says, and another manifest, with its checksum."""
    end = _sections_end(data) + n_added
    text = json.dumps(manifest).encode()
    stored = pack_bytes(text)
    return data[:end] + stored + FOOTER.pack(end, len(stored), len(text), zlib.crc32(text), b"HLM1 END")


# Cases


def run_cases(paths: list[Path], first: int, after: int, folder: Path) -> collections.Counter:
    """Counts of (damage, outcome): an error, or the same as before. Raises AssertionError for wrong data."""
    wanted = {path: answers(path) for path in paths}
    outcomes: collections.Counter = collections.Counter()
    for case in range(first, after):
        faulthandler.dump_traceback_later(SECONDS_A_CASE, exit=True)
        rng = np.random.default_rng([5, case])
        path, damage = paths[rng.integers(len(paths))], DAMAGES[case % len(DAMAGES)]
        damaged = folder / f"{first}.hlm"
        damaged.write_bytes(damage(path.read_bytes(), rng))
        try:
            said = answers(damaged)
        except BaseException as error:
            raise AssertionError(f"case {case}: {damage.__name__} of {path.name} raised {error!r}") from error
        for name, answer in said.items():
            assert answer in ("error", wanted[path][name]), f"case {case}: {damage.__name__} of {path.name}: {name}"
            outcomes[damage.__name__, "error" if answer == "error" else "same"] += 1
    faulthandler.cancel_dump_traceback_later()
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--archives", type=Path, help=argparse.SUPPRESS)  # a worker: run the cases and print counts
    options = parser.parse_args()
    after = options.first + options.cases
    if options.archives:
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
        paths = sorted(options.archives.glob("*-*.hlm"))
        counts = run_cases(paths, options.first, after, options.archives)
        peak_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"peak": peak_bytes, "counts": [[*key, n] for key, n in counts.items()]}))
        return
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(options.workers) as pool:
        make_archives(Path(name))

        def run(first: int) -> subprocess.CompletedProcess:
            n_cases = min(CASES_A_PROCESS, after - first)
            command = [sys.executable, __file__, "--archives", name, "--first", str(first), "--cases", str(n_cases)]
            return subprocess.run(command, capture_output=True, text=True)

        total: collections.Counter = collections.Counter()
        peak_bytes, n_failed = 0, 0
        for done in pool.map(run, range(options.first, after, CASES_A_PROCESS)):
            if done.returncode:
                n_failed += 1
                print(done.stderr[-4000:])
                continue
            result = json.loads(done.stdout)
            peak_bytes = max(peak_bytes, result["peak"])
            total.update({(damage, outcome): n for damage, outcome, n in result["counts"]})
    for (damage, outcome), n in sorted(total.items()):
        print(f"{damage:<18} {outcome:<6} {n:>7,}")
    print(f"peak memory of a process: {peak_bytes / 2**20:.0f} MiB; processes that failed: {n_failed}")
    sys.exit(bool(n_failed))


if __name__ == "__main__":
    main()
