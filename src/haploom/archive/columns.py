"""The columns of an archive as bytes: samples, populations and sites.

Text columns are UTF-8 with a newline between values; positions are differences, as int64. The values
themselves never hold a newline or a tab, because they come from tab-separated lines.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from haploom.panel import Variants

TEXT_COLUMNS = ("chrom", "id", "ref", "alt")


def samples_to_bytes(samples: Sequence[str], populations: Mapping[str, np.ndarray]) -> bytes:
    """JSON: the names in order, and the labels of each level."""
    levels = {level: labels.tolist() for level, labels in populations.items()}
    return json.dumps({"samples": list(samples), "populations": levels}, ensure_ascii=False).encode()


def samples_from_bytes(data: bytes) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """The inverse. Raises ValueError or KeyError for anything else."""
    columns = json.loads(data)
    populations = {level: np.array(labels, dtype=object) for level, labels in columns["populations"].items()}
    return tuple(columns["samples"]), populations


def sites_to_bytes(variants: Variants) -> bytes:
    """Positions as differences (int64, little-endian), then the text columns, one after another."""
    gaps = np.diff(variants.position_bp, prepend=np.int64(0)).astype("<i8").tobytes()
    text = "\n".join("\n".join(getattr(variants, name).tolist()) for name in TEXT_COLUMNS)
    return gaps + text.encode()


def sites_from_bytes(data: bytes, n_sites: int, contig_length_bp: Mapping[str, int]) -> Variants:
    """The inverse. Raises ValueError when the bytes do not hold `n_sites` sites."""
    position_bp = np.cumsum(np.frombuffer(data[: 8 * n_sites], dtype="<i8"))
    values = data[8 * n_sites :].decode().split("\n") if n_sites else []
    if len(position_bp) != n_sites or len(values) != len(TEXT_COLUMNS) * n_sites:
        raise ValueError(f"the columns do not hold {n_sites} sites")
    columns = {name: values[i * n_sites : (i + 1) * n_sites] for i, name in enumerate(TEXT_COLUMNS)}
    return Variants(position_bp=position_bp, contig_length_bp=dict(contig_length_bp), **columns)  # type: ignore[arg-type]
