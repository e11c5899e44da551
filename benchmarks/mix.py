"""What a learned expert adds to the archive's mix: genotype bytes of new people with and without it.

    python benchmarks/mix.py CHR22_DENSE.vcf.gz --model AR.model --populations LABELS.tsv

AR.model is an autoregressive model (docs/autoregressive.md) trained on the train people of a split; its test people are
the new ones here. They are coded twice at level `max`, once with an expert that is asked nothing and once with the
network in integers, alone and beside the other people as a reference. Rare sites are coded as always. Every stream
is decoded and compared. Appends to records/mix.jsonl: bytes, and bits by label and by frequency class, which are the
code lengths of the same alleles under the probabilities they were coded with.
"""

import argparse
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from genotype_coder import commit, machine
from mix_kernels import code_common_with_expert, integer_expert

from haploom.bench.records import append_records
from haploom.entropy_coding.genotype_block import MORE_ORDERS, ORDERS, first_common_class
from haploom.entropy_coding.range_coder import finish, new_decoder, new_encoder
from haploom.entropy_coding.rare_sites import code_rare_sites, gather_carriers, spread_carriers
from haploom.entropy_coding.reference_block import code_promoted
from haploom.entropy_coding.reference_rare import code_rare_beside
from haploom.entropy_coding.site_classes import BOUNDS, classes_of, code_classes
from haploom.io import Selection, read_panel
from haploom.io.model_file import model_columns, read_model
from haploom.models.network import load_network

RECORDS = Path(__file__).parent / "records" / "mix.jsonl"
FREQUENCY_CLASSES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
N_DONORS, N_LEARNED, N_FOLDS = 16, 1024, 4


class Protocol:
    """The people of one file: those who are known, the train and validation people, and those who are new."""

    def __init__(self, vcf: Path, model: Path, populations: Path) -> None:
        trained = read_model(model)
        panel = read_panel(vcf, Selection(populations=populations))
        parts = [panel.select_samples(trained.split.samples(part, panel.samples)) for part in ("train", "validation")]
        new = panel.select_samples(trained.split.samples("test", panel.samples))
        self.known = np.concatenate([part.alleles() for part in parts]).T
        self.new = np.ascontiguousarray(new.alleles().T)
        self.labels = new.labels(trained.card.label_level, "haplotype")
        self.expert = integer_expert(load_network(trained))
        self.model_sites = np.full(panel.n_sites, -1, dtype=np.int64)
        columns = model_columns(panel.variants, trained)
        self.model_sites[columns] = np.arange(len(columns))
        # The network was trained on the train people: of the known, the mix may learn what it is worth from the
        # validation people alone.
        n_train, n_known, n_new = parts[0].n_haplotypes, self.known.shape[1], self.new.shape[1]
        self.rows_beside = np.full(n_known + n_new, -1, dtype=np.int64)
        self.rows_beside[n_train:] = np.arange(n_known - n_train + n_new)
        self.learned = np.zeros(n_known, dtype=np.uint8)
        self.learned[:: max(n_known // N_LEARNED, 1)] = 1
        self.learned[n_train:] = 1

    def common(
        self, coder: np.ndarray, data: np.ndarray, alleles: np.ndarray, flipped: np.ndarray, sites: np.ndarray,
        classes: np.ndarray, n_known: int, asked: bool,
    ) -> np.ndarray:  # fmt: skip
        """Code the common sites; returns float64 (n_common, n_new), bits of each allele."""
        rules = np.array(ORDERS + MORE_ORDERS, dtype=np.int64)
        rules[:, 0] = classes_of(rules[:, 0] * (n_known or alleles.shape[1]) // 100)
        n_new = alleles.shape[1] - n_known
        rows = self.rows_beside if n_known else np.arange(n_new)
        told = np.zeros((len(sites), n_new), dtype=np.uint16)
        code_common_with_expert(
            coder, data, alleles, flipped, sites, classes[sites], rules, N_DONORS, n_known, self.learned[:n_known],
            self.expert, asked, self.model_sites[sites], rows, told,
        )  # fmt: skip
        return 16 - np.log2(told)

    def alone(self, coder: np.ndarray, data: np.ndarray, alleles: np.ndarray, asked: bool) -> dict[str, Any]:
        """The new people without a reference, in and out, as `genotype_block` codes them."""
        n_sites, n = alleles.shape
        counts = np.count_nonzero(alleles, axis=1)
        flipped = (2 * counts > n).astype(np.uint8)
        minor_counts = np.where(flipped, n - counts, counts)
        classes = classes_of(minor_counts)
        code_classes(coder, data, classes, flipped)
        is_common = classes >= first_common_class(n)
        common, rare = np.flatnonzero(is_common), np.flatnonzero(~is_common)
        if alleles.any():  # there is something to encode
            alleles ^= flipped[:, None]
        bits = self.common(coder, data, alleles, flipped, common, classes, 0, asked)
        room = np.minimum(BOUNDS[classes[rare].astype(np.int64) + 1] - 1, n)
        first, found, turned = np.cumsum(room) - room, minor_counts[rare], np.zeros(n_sites, dtype=np.uint8)
        carriers = np.zeros(int(room.sum()), dtype=np.int32)
        gather_carriers(alleles, turned, rare, first, carriers)
        code_rare_sites(
            coder, data, carriers, first, found, classes[rare], rare, alleles[common], common, n_sites
        )  # fmt: skip
        spread_carriers(carriers, first, found, rare, turned, alleles)
        alleles ^= flipped[:, None]
        return {"sites": common, "bits": bits}

    def beside(self, coder: np.ndarray, data: np.ndarray, alleles: np.ndarray, asked: bool) -> dict[str, Any]:
        """The new people beside the known, in and out, as `reference_block` codes them."""
        n_known = self.known.shape[1]
        everybody = np.concatenate([self.known, alleles], axis=1)
        counts = np.count_nonzero(self.known, axis=1)
        flipped = (2 * counts > n_known).astype(np.uint8)
        everybody ^= flipped[:, None]
        classes = classes_of(np.where(flipped, n_known - counts, counts))
        is_common = classes >= first_common_class(n_known)
        most = min(max(alleles.shape[1] // 16, 8), 64)
        in_rare = np.flatnonzero(~is_common)
        promoted = (np.count_nonzero(everybody[in_rare, n_known:], axis=1) > most).astype(np.uint8)
        code_promoted(coder, data, promoted)
        is_common[in_rare[promoted == 1]] = True
        common, rare = np.flatnonzero(is_common), np.flatnonzero(~is_common)
        bits = self.common(coder, data, everybody, flipped, common, classes, n_known, asked)
        code_rare_beside(coder, data, everybody, rare, classes[rare], common, n_known, N_FOLDS, most)
        everybody ^= flipped[:, None]
        alleles[:] = everybody[:, n_known:]
        return {"sites": common, "bits": bits}

    def measure(self, how: str, asked: bool) -> dict[str, Any]:
        """Bytes of all new genotypes one way, decoded and compared."""
        code = {"alone": self.alone, "beside the others": self.beside}[how]
        data, coder = np.zeros(self.new.size // 8, dtype=np.uint8), new_encoder()
        start = time.perf_counter()
        told = code(coder, data, self.new.copy(), asked)
        coded = finish(coder, data)
        encoded = time.perf_counter()
        back, stream = np.zeros_like(self.new), np.frombuffer(bytearray(coded), dtype=np.uint8)
        code(new_decoder(stream), stream, back, asked)
        decoded = time.perf_counter()
        if not np.array_equal(back, self.new):
            raise SystemExit(f"{how}: the genotypes did not come back")
        return {
            "how": how, "expert": asked, "genotype_bytes": len(coded), "encode_s": round(encoded - start, 1),
            "decode_s": round(decoded - encoded, 1), "verified": True, **self.shares(**told),
        }  # fmt: skip

    def shares(self, sites: np.ndarray, bits: np.ndarray) -> dict[str, Any]:
        """Bytes of the common sites, and bits per allele at the network's sites by label and by frequency."""
        mine = self.model_sites[sites] >= 0
        frequency = self.known.mean(axis=1)[sites]
        maf = np.minimum(frequency, 1 - frequency)
        by_frequency = {}
        for low, high in pairwise(FREQUENCY_CLASSES):
            chosen = mine & (maf > low) & (maf <= high)
            if chosen.any():
                by_frequency[f"{low:g}-{high:g}"] = [int(chosen.sum()), round(float(bits[chosen].mean()), 5)]
        return {
            "common_bytes": round(float(bits.sum()) / 8), "common_sites": len(sites),
            "model_site_bytes": round(float(bits[mine].sum()) / 8), "model_sites": int(mine.sum()),
            "bits_by_label": {
                label: round(float(bits[mine][:, self.labels == label].mean()), 5) for label in np.unique(self.labels)
            },
            "bits_by_frequency": by_frequency,
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("vcf", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--populations", type=Path, required=True)
    args = parser.parse_args()
    protocol = Protocol(args.vcf, args.model, args.populations)
    about = {
        "task": f"mix/{args.vcf.name}", "level": "max", "new_haplotypes": protocol.new.shape[1],
        "known_haplotypes": protocol.known.shape[1], "file_sites": protocol.new.shape[0],
        "model_bytes": args.model.stat().st_size, "parameters": read_model(args.model).n_parameters,
        "cpu": machine(), "commit": commit(),
    }  # fmt: skip
    for how in ("alone", "beside the others"):
        for asked in (False, True):
            record = {**about, **protocol.measure(how, asked)}
            append_records(RECORDS, [record])
            print(record, flush=True)


if __name__ == "__main__":
    main()
