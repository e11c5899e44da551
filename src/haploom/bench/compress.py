"""Sizes, seconds and memory of Haploom and of other compressors on the same file, as records.

Every tool gets the same VCF text, or (the byte codecs that say so) its haplotypes packed to bits, a row each.
What comes back is compared, and the record says how much of the text the tool kept.
"""

import hashlib
import logging
import os
import re
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from haploom import progress, provenance
from haploom.archive import open_archive
from haploom.bench.processes import Run, ToolError, cpu_name, run_measured
from haploom.bench.tools import BACK, BITS, TEXT, TOOLS, Tool, command_line
from haploom.errors import HaploomError
from haploom.io import read_panel, source_format
from haploom.io.formats import BCF, VCF
from haploom.io.text_source import open_text
from haploom.parallel import Workers, run_parts

_LOG = logging.getLogger(__name__)
_FURTHER_FIELDS = re.compile(rb":[^\t\r\n]*")
_PIECE = 1 << 20


def choose_tools(names: Sequence[str] = ()) -> list[Tool]:
    """The tools of these names, or all that are installed. Raises HaploomError for one unknown or not installed."""
    if not names:
        return [tool for tool in TOOLS if tool.is_installed()]
    known = {tool.name: tool for tool in TOOLS}
    if unknown := [name for name in names if name not in known]:
        raise HaploomError(f"unknown tools {', '.join(unknown)}: wanted some of {', '.join(known)}")
    if absent := [name for name in names if not known[name].is_installed()]:
        needed = dict.fromkeys(part for name in absent for part in (*known[name].programs, *known[name].needs))
        raise HaploomError(f"not installed: {', '.join(absent)} (needs {', '.join(needed)}): install or leave out")
    return [known[name] for name in names]


def compress_records_of_files(
    sources: Sequence[Path], tools: Sequence[Tool], workers: Workers, repeats: int = 3, threads: int = 1,
    populations: Path | None = None,
) -> Iterator[list[dict[str, Any]]]:  # fmt: skip
    """`compress_records` of each file, in order; with several workers of several files at once.

    Sizes and what is kept do not depend on the workers; seconds of files measured at once on one machine do.
    """
    work = partial(_records_of_a_file, tools, repeats, threads, populations)
    for _, records in run_parts(work, sources, workers, label="Measuring files", total=len(sources), ordered=True):
        yield records


def _records_of_a_file(
    tools: Sequence[Tool], repeats: int, threads: int, populations: Path | None, source: Path
) -> list[dict[str, Any]]:
    return list(compress_records(source, tools, repeats, threads, populations))


def compress_records(
    source: Path, tools: Sequence[Tool], repeats: int = 3, threads: int = 1, populations: Path | None = None
) -> Iterator[dict[str, Any]]:
    """One record a tool, after all have run `repeats` times in turn.

    source: a VCF or BCF. populations: labels, which only Haploom makes use of. Tools that cannot store the file
    are left out, with a warning. `kept` is what came back: "text" (every byte), "alleles" (position, REF, ALT and
    GT of every record), "haplotypes" (the packed bits, all that was given) or "nothing", which is not verified.
    Raises HaploomError for another format.
    """
    kind = source_format(source)
    if kind not in (VCF.name, BCF.name):
        raise HaploomError(f"{source} is {kind}: other tools take VCF; make one with `haploom convert`")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        about = _prepare(source, kind, folder)
        tools = [tool for tool in tools if tool.source != BITS or (folder / BITS).exists()]
        measured: dict[str, list[dict[str, Any]]] = {tool.name: [] for tool in tools}
        with progress.task("Measuring", repeats * len(tools)) as advance:
            for tool in [tool for _ in range(repeats) for tool in tools]:
                if tool.name in measured:
                    try:
                        measured[tool.name].append(_measure(tool, folder, threads, populations))
                    except ToolError as error:
                        _LOG.warning("%s left out: %s", tool.name, error)
                        del measured[tool.name]
                advance()
    for tool in tools:
        if tool.name in measured:
            yield _record(tool, source, about, measured[tool.name], threads, populations)


def table(records: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Rows of text, headings first, of records: seconds are medians, memory the worst."""
    rows = [["tool", "bytes", "genotype bytes", "pack s", "unpack s", "peak MiB", "kept"]]
    for record in records:
        genotype_bytes = record["genotype_bytes"]
        rows.append([
            record["tool"], f"{record['output_bytes']:,}", "-" if genotype_bytes is None else f"{genotype_bytes:,}",
            *(f"{statistics.median(record[key]):.2f}" for key in ("encode_s", "decode_s")),
            f"{max(record['encode_peak_rss_mib'] + record['decode_peak_rss_mib']):,.0f}", record["kept"],
        ])  # fmt: skip
    return rows


def _prepare(source: Path, kind: str, folder: Path) -> dict[str, Any]:
    """Write the text, and its haplotypes where it is a panel; returns what records say of the input."""
    with open_text(source, kind) as stream, (folder / TEXT).open("wb") as file:
        while piece := stream.read(_PIECE):
            file.write(piece)
    about: dict[str, Any] = {"text_bytes": stream.n_bytes, "sites": None, "haplotypes": None}
    try:
        panel = read_panel(folder / TEXT)
    except HaploomError as error:
        _LOG.warning("no tool is given packed haplotypes: %s", str(error).replace(str(folder / TEXT), str(source)))
        return about
    panel.bits.tofile(folder / BITS)
    n_alleles = panel.n_sites * panel.n_haplotypes
    sizes = {"input_u8_bytes": n_alleles, "input_bit_bytes": -(-n_alleles // 8)}
    return {**about, "sites": panel.n_sites, "haplotypes": panel.n_haplotypes, **sizes}


def _measure(tool: Tool, folder: Path, threads: int, populations: Path | None) -> dict[str, Any]:
    """Pack, unpack, compare; nothing of it stays in the folder."""
    given = {TEXT, BITS}
    try:
        encode = run_measured(command_line(tool.pack, threads, populations), folder)
        decode = run_measured(command_line(tool.unpack, threads, populations), folder)
        back = next(path for path in (folder / BACK, folder / f"{BACK}.vcf") if path.exists())
        return {
            "encode": encode,
            "decode": decode,
            "kept": _kept(folder / tool.source, back),
            "output_bytes": sum((folder / name).stat().st_size for name in tool.outputs),
            "genotype_bytes": _genotype_bytes(tool, folder),
        }
    finally:
        for path in folder.iterdir():
            if path.name not in given:
                path.unlink()


def _kept(given: Path, back: Path) -> str:
    if _file_sha256(given) == _file_sha256(back):
        return "haplotypes" if given.name == BITS else "text"
    if given.name == TEXT and _alleles_sha256(given) == _alleles_sha256(back):
        return "alleles"
    return "nothing"


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _alleles_sha256(vcf: Path) -> str:
    """Of position, REF, ALT and the GT of everybody, record by record."""
    digest = hashlib.sha256()
    with vcf.open("rb") as file:
        for line in file:
            if line.startswith(b"#"):
                continue
            columns = line.rstrip(b"\r\n").split(b"\t", 9)
            calls = columns[9] if len(columns) > 9 and columns[8].startswith(b"GT") else b""
            calls = _FURTHER_FIELDS.sub(b"", calls) if b":" in calls else calls
            digest.update(b"\t".join([columns[1], *columns[3:5], calls]) + b"\n")
    return digest.hexdigest()


def _genotype_bytes(tool: Tool, folder: Path) -> int | None:
    if tool.genotype_file is None:
        return None
    path = folder / tool.genotype_file
    return open_archive(path).describe()["genotype_bytes"] if path.suffix == ".hlm" else path.stat().st_size


def _record(
    tool: Tool, source: Path, about: dict[str, Any], runs: list[dict[str, Any]], threads: int, populations: Path | None
) -> dict[str, Any]:
    encode: list[Run] = [run["encode"] for run in runs]
    decode: list[Run] = [run["decode"] for run in runs]
    kept = {run["kept"] for run in runs}
    return {
        "task": f"compress/{source.name}", "tool": tool.name, "version": tool.version_text(),
        "pack": command_line(tool.pack, threads, populations, shown=True),
        "unpack": command_line(tool.unpack, threads, populations, shown=True), **about,
        "output_bytes": runs[0]["output_bytes"], "genotype_bytes": runs[0]["genotype_bytes"], "model_bytes": 0,
        "encode_s": [run.seconds for run in encode], "decode_s": [run.seconds for run in decode],
        "encode_cpu_s": [run.cpu_seconds for run in encode], "decode_cpu_s": [run.cpu_seconds for run in decode],
        "encode_peak_rss_mib": [run.peak_rss_mib for run in encode],
        "decode_peak_rss_mib": [run.peak_rss_mib for run in decode],
        "kept": kept.pop() if len(kept) == 1 else "nothing", "verified": all(run["kept"] != "nothing" for run in runs),
        "threads": threads, "load": round(os.getloadavg()[0], 1), "cpu": cpu_name(),
        "versions": provenance.package_versions(),
    }  # fmt: skip
