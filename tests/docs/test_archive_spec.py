"""docs/spec/ is enough to read an archive: a reader written from its words alone (with the spec_* modules beside it).

Plain Python integers throughout, so nothing of the package's arithmetic is used here.
"""

import hashlib
import json
import struct
import zlib
from itertools import accumulate

import numpy as np
import pytest
from safetensors.numpy import load
from spec_coders import numbers, parts, unpacked
from spec_columns import Counts, annotations, sites
from spec_genotypes import alleles

import haploom as hl
from haploom.compression import compress_panel
from haploom.io.model_file import write_model
from haploom.panel import Panel, Split, Variants

N_SITES, N_PEOPLE = 37, 12
LINE_ENDS = (b"\n", b"\r\n", b"")


class SpecReader:
    """Sections 1 to 6 of archive-1.md, for records that are all plain or have no samples."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        magic, major, _ = struct.unpack("<4sHH", data[:8])
        assert (magic, major) == (b"HLM1", 1)
        offset, stored, length, checksum, mark = struct.unpack("<QIII8s", data[-28:])
        assert mark == b"HLM1 END"
        assert offset + stored + 28 == len(data)
        text = unpacked(data[offset : offset + stored])
        assert (len(text), zlib.crc32(text)) == (length, checksum)
        self.manifest = json.loads(text)
        self.n_rows = 2 * self.manifest["n_samples"]

    def stored(self, name: str) -> bytes:
        section = self.manifest["sections"][name]
        data = self.data[section["offset"] : section["offset"] + section["stored_bytes"]]
        assert zlib.crc32(name.encode() + data) == section["stored_crc32"]
        return data

    def check(self, name: str, decoded: bytes) -> None:
        section = self.manifest["sections"][name]
        assert (len(decoded), zlib.crc32(decoded)) == (section["decoded_bytes"], section["crc32"])

    def packed(self, name: str) -> bytes:
        steps = name == "model-records"
        assert self.manifest["sections"][name]["codec"] == ("packed-steps/1" if steps else "packed/1")
        data = unpacked(self.stored(name))
        self.check(name, data)
        return data

    def text(self) -> bytes:
        blocks = (self.block(number, about) for number, about in enumerate(self.manifest["blocks"]))
        return b"".join([self.packed("header"), *blocks])

    def block(self, number: int, about: dict) -> bytes:
        n = about["n_records"]
        columns = sites(self.stored(f"{number}/sites"), n)
        site_lines = [b"\t".join(values) for values in zip(*columns)]
        self.check(f"{number}/sites", lines(site_lines))
        bits = self.bits(f"{number}/genotypes", n)
        layout, calls, fields = parts(self.stored(f"{number}/cells"), 3)
        kinds = unpacked(parts(calls, 5)[0])
        assert set(kinds) <= ({1} if self.n_rows else {0})
        assert len(kinds) == n
        assert not fields
        notes = annotations(self.stored(f"{number}/annotations"), columns, self.counts(bits))
        self.check(f"{number}/annotations", lines(notes))
        ends, odd = self.layout(number, layout, n)
        records = [odd.get(0, b"")]
        for place, (site, note, row) in enumerate(zip(site_lines, notes, bits)):
            cells = [b"\t%d|%d" % pair for pair in zip(row[::2], row[1::2])]
            records.append(b"".join([site, b"\t", note, *cells, LINE_ENDS[ends[place]], odd.get(place + 1, b"")]))
        assert sum(map(len, records)) == about["text_bytes"]
        return b"".join(records)

    def layout(self, number: int, data: bytes, n: int) -> tuple[list[int], dict[int, bytes]]:
        """The line end of each record, and the odd lines by the records before them."""
        runs, pairs, text = (unpacked(part) for part in parts(data, 3))
        flat = numbers(runs)
        ends = [kind for kind, length in zip(flat[::2], flat[1::2]) for _ in range(length)]
        assert len(ends) == n
        steps, lengths = numbers(pairs)[::2], numbers(pairs)[1::2]
        stops = list(accumulate(lengths))
        assert not stops or stops[-1] == len(text)
        odd = {place: text[end - size : end] for place, size, end in zip(accumulate(steps), lengths, stops)}
        places = b"".join(struct.pack("<q", place) for place in odd)
        cells = b"" if self.n_rows else b"\n" * n
        self.check(f"{number}/cells", cells + bytes(ends) + places + lines(list(odd.values())))
        return ends, odd

    def bits(self, name: str, n: int) -> list[list[int]]:
        """Record after record."""
        codec = self.manifest["sections"][name]["codec"]
        data = self.stored(name)
        rows = alleles(data, n, self.n_rows) if codec == "genotypes/1" else self.neural(data, n)
        self.check(name, b"".join(as_bits(row) for row in rows))
        return rows

    def neural(self, data: bytes, n: int) -> list[list[int]]:
        z_bytes, n_runs = struct.unpack("<QQ", data[:16])
        z = [v - 65536 if v > 32767 else v for v in joined(unpacked(data[16 : 16 + z_bytes]))]
        all_runs = joined(unpacked(data[16 + z_bytes :]))
        assert len(all_runs) == n_runs
        runs = iter(all_runs)
        steps = [step for (step,) in struct.iter_unpack("<q", self.packed("model-records"))]
        columns = [sum(steps[: place + 1]) - 1 for place in range(len(steps))]
        network, majority = load(self.packed("model")), self.packed("majority")
        width = len(z) // self.n_rows
        haplotypes = []
        for row in range(self.n_rows):
            guess = [majority[record // 8] >> (7 - record % 8) & 1 for record in range(n)]
            for column, decision in zip(columns, decide(network, z[width * row : width * (row + 1)])):
                guess[column] = decision
            bit, residual = 0, []
            while len(residual) < n:
                residual += [bit] * next(runs)
                bit = 1 - bit
            haplotypes.append([g ^ r for g, r in zip(guess, residual)])
        assert next(runs, None) is None
        return [list(record) for record in zip(*haplotypes)]

    def counts(self, bits: list[list[int]]) -> Counts | None:
        """Everybody's, then those of each label in order; the records are plain."""
        if not self.n_rows:
            return None
        everybody = [1] * (self.n_rows // 2)
        groups = [everybody]
        if level := self.manifest["label_level"]:
            labels = json.loads(self.packed("populations"))[level]
            groups += [[int(label == wanted) for label in labels] for wanted in sorted(set(labels))]
        found = []
        for members in groups:
            in_group = [bit for bit in members for _ in range(2)]
            alternate = [[sum(a & b for a, b in zip(row, in_group))] for row in bits]
            found.append(([sum(in_group)] * len(bits), alternate))
        return Counts(found, [len(everybody)] * len(bits))


def lines(values: list[bytes]) -> bytes:
    return b"".join(value + b"\n" for value in values)


def as_bits(row: list[int]) -> bytes:
    filled = row + [0] * (-len(row) % 8)
    return bytes(int("".join(map(str, filled[i : i + 8])), 2) for i in range(0, len(filled), 8))


def joined(split: bytes) -> list[int]:
    half = len(split) // 2
    return [low + 256 * high for low, high in zip(split[:half], split[half:])]


def decide(network: dict[str, np.ndarray], x: list[int]) -> list[int]:
    layers = sum(name.endswith(".weight") for name in network)
    for layer in range(layers):
        if layer:
            x = [min(max(value, 0), 65535) for value in x]
        weight, bias, shift = (network[f"{layer}.{name}"].tolist() for name in ("weight", "bias", "shift"))
        x = [(sum(w * v for w, v in zip(ws, x)) + c) >> s for ws, c, s in zip(weight, bias, shift)]
    return [int(value > 0) for value in x]


def vcf_text(n_records: int) -> str:
    """Records in want of every way to store a column: predicted INFO, odd numbers, lists, rs numbers, odd lines."""
    rng = np.random.default_rng(3)
    people = [f"P{i}" for i in range(N_PEOPLE)]
    text = "##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
    text += "\t".join(people) + "\n"
    copies = rng.integers(0, 2, 2 * N_PEOPLE)
    position = 1000
    for i in range(n_records):
        position += int(rng.integers(1, 400))
        if i % 5 == 0:
            row = np.zeros(2 * N_PEOPLE, dtype=int)
            row[rng.integers(0, 2 * N_PEOPLE, i % 10 // 5)] = 1
        else:
            row = copies ^ (rng.random(2 * N_PEOPLE) < 0.1)
        if i % 7 == 0:
            row = 1 - row
        n, some = int(row.sum()), int(row[:12].sum())
        ref, alt = (("A", "C"), ("G", "T"), ("GA", "G"), ("C", "CTT"), ("T", "<DEL>"))[int(rng.integers(0, 5))]
        name = f"rs{int(rng.integers(5_000_000, 5_400_000) if i % 3 else 99_000_000 + 7 * i)}" if i % 11 else "."
        fields = [f"AC={n}", f"AN={2 * N_PEOPLE}", f"AF={n / 24:.4g}", "NS=12", f"X_AF={some / 12:.3f}", f"Y={n / 7!r}"]
        fields += [
            f"DP={int(rng.integers(50, 3000))}",
            f"R={rng.random():.{i % 6}f}",
            "L=" + ",".join(map(str, rng.integers(0, 500, 1 + i % 3))),
        ]
        fields += ["DB", f"ODD=1e-{i}"] if i % 4 == 0 else [f"TAG=w{int(rng.integers(0, 1 << 40)):x}"]
        qual = "." if i % 13 == 0 else f"{rng.random() * 90:.2f}"
        cells = "\t".join(f"{a}|{b}" for a, b in row.reshape(-1, 2))
        text += f"1\t{position}\t{name}\t{ref}\t{alt}\t{qual}\tPASS\t{';'.join(fields)}\tGT\t{cells}"
        text += "\r\n" if i % 50 == 49 else "\n"
        if i % 60 == 59:
            text += "# a line that is no record\n\n"
    return text.removesuffix("\n")


@pytest.mark.parametrize("n_records", [3, 300])
def test_archive_spec__a_reader_written_from_it_gives_back_the_text(n_records, tmp_path):
    source, table = tmp_path / "a.vcf", tmp_path / "labels.tsv"
    source.write_bytes(vcf_text(n_records).encode())
    table.write_text("sample\tpopulation\n" + "".join(f"P{i}\t{'XY'[i // 6]}\n" for i in range(N_PEOPLE)))
    hl.compress(source, tmp_path / "a.hlm", selection=hl.Selection(populations=table), level="fast")
    reader = SpecReader((tmp_path / "a.hlm").read_bytes())
    text = reader.text()
    assert text == source.read_bytes()
    assert hashlib.sha256(text).hexdigest() == reader.manifest["text_sha256"]
    used = {section["codec"] for section in reader.manifest["sections"].values()}
    assert set(reader.manifest["requires"]) == used == {
        "annotations/1", "cells/1", "genotypes/1", "packed/1", "sites/1"
    }  # fmt: skip


def test_archive_spec__text_without_samples(tmp_path):
    source = tmp_path / "a.vcf"
    rows = [line.split("\t")[:8] for line in vcf_text(40).splitlines() if line[:2] not in ("##", "# ", "")]
    source.write_text("".join("\t".join(row) + "\n" for row in rows))
    hl.compress(source, tmp_path / "a.hlm")
    assert SpecReader((tmp_path / "a.hlm").read_bytes()).text() == source.read_bytes()


def test_archive_spec__names_made_of_the_other_columns(tmp_path):
    source = tmp_path / "a.vcf"
    rows = [f"chr{c}\t{100 * i}\t{'.' if i % 9 == 5 else f'{c}:{100 * i}_A_G'}\tA\tG\t.\t.\t."
            for c in (1, "X") for i in range(20)]  # fmt: skip
    source.write_text("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + "\n".join(rows) + "\n")
    hl.compress(source, tmp_path / "a.hlm")
    assert SpecReader((tmp_path / "a.hlm").read_bytes()).text() == source.read_bytes()


def test_archive_spec__latents_and_residual(tmp_path):
    """Sites of two contigs that are nearly copies of each other, so that a model learns something at once."""
    rng = np.random.default_rng(5)
    near = (rng.integers(0, 2, (2 * N_PEOPLE, 1)) ^ (rng.random((2 * N_PEOPLE, N_SITES)) < 0.1)).astype(np.uint8)
    first = N_SITES // 2
    chrom = np.array(["1"] * first + ["é"] * (N_SITES - first))
    position = np.concatenate([np.arange(first) * 7 + 100, np.arange(N_SITES - first) * 3 + 1])
    names = np.array([f"rs{site}" if site % 3 else "." for site in range(N_SITES)])
    variants = Variants(chrom, position, names, np.array(["A"] * N_SITES), np.array(["C"] * N_SITES))
    people = tuple(f"P{i}" for i in range(N_PEOPLE))
    panel = Panel.from_alleles(near, variants, people, {"population": np.array(["A", "B"] * (N_PEOPLE // 2))})
    compress_panel(panel, tmp_path / "a.hlm", codec="vae+rle", model=trained(panel, tmp_path / "m.model"))
    reader = SpecReader((tmp_path / "a.hlm").read_bytes())

    assert reader.manifest["requires"] == [
        "annotations/1",
        "cells/1",
        "packed-steps/1",
        "packed/1",
        "sites/1",
        "vae+rle/1",
    ]
    assert np.array(reader.bits("0/genotypes", N_SITES)).T.tolist() == panel.alleles().tolist()
    assert hashlib.sha256(reader.text()).hexdigest() == reader.manifest["text_sha256"]
    assert json.loads(reader.packed("populations")) == {"population": panel.labels("population").tolist()}


def trained(panel, path):
    """A model of every other site, so that the archive must also say which."""
    from haploom.training.config import TrainingConfig
    from haploom.training.fit import train_model

    some = panel.select_sites(np.arange(0, N_SITES, 2))
    split = Split({name: "train" if i < 8 else "validation" for i, name in enumerate(panel.samples)})
    training = train_model(
        some, split, "population", config=TrainingConfig(epochs=5), shape={"n_latent": 3}, device="cpu"
    )
    write_model(training.model, path)
    return path
