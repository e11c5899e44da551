"""docs/spec/archive-0.md is enough to read an archive: a reader written from its words alone.

Plain Python integers throughout, so nothing of the package's arithmetic is used here.
"""

import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import zstandard
from safetensors.numpy import load

from haploom.compression import compress_panel
from haploom.io.model_file import write_model
from haploom.panel import Panel, Split, Variants

N_SITES, N_PEOPLE = 37, 12


class SpecReader:
    """Sections 1 to 6 of the specification."""

    def __init__(self, data: bytes) -> None:
        assert data[:4] == b"HLM0"
        assert data[-8:] == b"HLM0 END"
        length, checksum = struct.unpack("<II", data[4:12])
        assert zlib.crc32(data[12 : 12 + length]) == checksum
        self.manifest = json.loads(data[12 : 12 + length])
        self.body = data[12 + length : -8]

    def stored(self, name: str) -> bytes:
        section = self.manifest["sections"][name]
        return self.body[section["offset"] : section["offset"] + section["stored_bytes"]]

    def decoded(self, name: str) -> bytes:
        data = zstandard.ZstdDecompressor().decompress(self.stored(name))
        self.check(name, data)
        return data

    def check(self, name: str, data: bytes) -> None:
        section = self.manifest["sections"][name]
        assert (len(data), zlib.crc32(data)) == (section["decoded_bytes"], section["crc32"])

    def sites(self) -> list[tuple]:
        data, n = self.decoded("sites"), self.manifest["n_sites"]
        positions, text = [], data[8 * n :].decode().split("\n")
        for (gap,) in struct.iter_unpack("<q", data[: 8 * n]):
            positions.append((positions[-1] if positions else 0) + gap)
        return list(zip(text[:n], positions, text[n : 2 * n], text[2 * n : 3 * n], text[3 * n :]))

    def rows(self) -> list[list[int]]:
        n, step = 2 * self.manifest["n_samples"], self.manifest["rows_per_block"]
        rows = []
        for block, start in enumerate(range(0, n, step)):
            name = f"genotypes/{block}"
            if self.manifest["sections"][name]["codec"] == "bits+zstd/0":
                packed = self.decoded(name)
            else:
                packed = self.neural_block(name, min(step, n - start))
                self.check(name, packed)
            width = -(-self.manifest["n_sites"] // 8)
            rows += [self.unpack(packed[at : at + width]) for at in range(0, len(packed), width)]
        return rows

    def unpack(self, row: bytes) -> list[int]:
        return [row[site // 8] >> (7 - site % 8) & 1 for site in range(self.manifest["n_sites"])]

    def neural_block(self, name: str, n_rows: int) -> bytes:
        data = self.stored(name)
        z_bytes, run_bytes, n_runs = struct.unpack("<III", data[:12])
        unzip = zstandard.ZstdDecompressor().decompress
        low_high = unzip(data[12 : 12 + z_bytes])
        half = len(low_high) // 2
        z = [struct.unpack("<h", bytes(pair))[0] for pair in zip(low_high[:half], low_high[half:])]
        low_high = unzip(data[12 + z_bytes : 12 + z_bytes + run_bytes])
        runs = iter([low + 256 * high for low, high in zip(low_high[:n_runs], low_high[n_runs:])])
        columns = [column for (column,) in struct.iter_unpack("<q", self.decoded("genotypes.sites"))]
        network = load(self.decoded("model"))
        packed = b""
        for row in range(n_rows):
            alleles = self.unpack(self.decoded("genotypes.majority"))
            for column, decision in zip(columns, self.decide(network, z[row * half // n_rows :][: half // n_rows])):
                alleles[column] = decision
            bit, residual = 0, []
            while len(residual) < len(alleles):
                residual += [bit] * next(runs)
                bit = 1 - bit
            packed += np.packbits([a ^ r for a, r in zip(alleles, residual)]).tobytes()
        assert next(runs, None) is None
        return packed

    @staticmethod
    def decide(network: dict[str, np.ndarray], x: list[int]) -> list[int]:
        layers = sum(name.endswith(".weight") for name in network)
        for layer in range(layers):
            if layer:
                x = [min(max(value, 0), 65535) for value in x]
            weight, bias, shift = (network[f"{layer}.{name}"].tolist() for name in ("weight", "bias", "shift"))
            x = [(sum(w * v for w, v in zip(ws, x)) + c) >> s for ws, c, s in zip(weight, bias, shift)]
        return [int(value > 0) for value in x]


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Sites of two contigs that are nearly copies of each other, so that a model learns something at once."""
    rng = np.random.default_rng(5)
    alleles = (rng.integers(0, 2, (2 * N_PEOPLE, 1)) ^ (rng.random((2 * N_PEOPLE, N_SITES)) < 0.1)).astype(np.uint8)
    first = N_SITES // 2
    chrom = np.array(["1"] * first + ["é"] * (N_SITES - first))
    position = np.concatenate([np.arange(first) * 7 + 100, np.arange(N_SITES - first) * 3 + 1])
    bases = np.array(list("ACGT"))[rng.integers(0, 4, (2, N_SITES))]
    names = np.array([f"rs{site}" if site % 3 else "." for site in range(N_SITES)])
    people = tuple(f"P{i}" for i in range(N_PEOPLE))
    variants = Variants(chrom, position, names, bases[0], bases[1])
    return Panel.from_alleles(alleles, variants, people, {"population": np.array(["A", "B"] * (N_PEOPLE // 2))})


@pytest.mark.parametrize("codec", ["zstd", "vae+rle"])
def test_archive_spec__a_reader_written_from_it_reads_what_was_stored(panel, codec, tmp_path):
    archive, model = tmp_path / "a.hlm", None
    if codec == "vae+rle":
        model = trained(panel, tmp_path / "m.model")
    compress_panel(panel, archive, codec=codec, model=model)
    reader = SpecReader(archive.read_bytes())

    assert reader.rows() == panel.alleles().tolist()
    assert json.loads(reader.decoded("samples")) == {
        "samples": list(panel.samples), "populations": {"population": panel.labels("population").tolist()},
    }  # fmt: skip
    wanted = panel.variants
    columns = (wanted.chrom, wanted.position_bp, wanted.id, wanted.ref, wanted.alt)
    assert reader.sites() == list(zip(*(column.tolist() for column in columns)))

    packed = np.packbits(np.array(reader.rows(), dtype=np.uint8), axis=1).tobytes()
    keys = "".join(f"{chrom}:{position}:{ref}:{alt}\n" for chrom, position, _, ref, alt in reader.sites())
    assert reader.manifest["alleles_sha256"] == hashlib.sha256(packed).hexdigest()
    assert reader.manifest["site_fingerprint"] == hashlib.sha256(keys.encode()).hexdigest()
    used = {section["codec"] for section in reader.manifest["sections"].values()}
    assert set(reader.manifest["requires"]) == used


def trained(panel: Panel, path: Path) -> Path:
    """A model of every other site, so that the archive must also say which."""
    from haploom.training.fit import train_vae
    from haploom.training.loop import TrainingConfig

    some = panel.select_sites(np.arange(0, N_SITES, 2))
    split = Split({name: "train" if i < 8 else "validation" for i, name in enumerate(panel.samples)})
    training = train_vae(some, split, "population", config=TrainingConfig(epochs=5), n_latent=3, device="cpu")
    write_model(training.model, path)
    return path
