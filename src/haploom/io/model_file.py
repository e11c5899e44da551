"""A trained model on disk: one safetensors file with a JSON manifest in its metadata. Never pickle.

The file holds arrays and facts, whatever the framework that made them, so that `inspect` and reading an
archive need no torch. Arrays are named `weights.*` (the float model), `exact.*` (its integer decoder; of a Y-VAE
`exact.0.*` and so on, one for each label),
`labels.mean`, `labels.variance` and `labels.spread` (of the training people's latents), `pca.*` (axes), `sites.*`
(which sites it was trained on).
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from haploom.errors import CorruptModelError, FormatError, HaploomError, SiteMismatchError
from haploom.io.byte_stream import first_bytes
from haploom.io.formats import ARCHIVE_MAGIC, SAFETENSORS_BYTES, is_safetensors
from haploom.io.model_kinds import WITHOUT_LATENTS, ModelKind
from haploom.io.output import atomic_output
from haploom.panel import DosagePanel, MatchedRows, Panel, SiteMatch, Split, Variants
from haploom.panel.matching import MIN_COVERAGE, Reading, match_sites, matched_panel, named_alike
from haploom.panel.variants import STRING

_METADATA_KEY = "haploom"
_SITE_TEXT = "sites.text"  # UTF-8 lines of chrom, id, ref, alt, separated by tabs
_SITE_POSITIONS = "sites.position_bp"
_NOT_TRAINED = (
    "running_mean", "running_var", "num_batches_tracked", "frequency", "usage", "n_steps",
    "typical_distance", "feature_seed", "explained_variance", "explained_variance_ratio", "noise_variance",
)  # fmt: skip
NEW = "new"  # the part of people the model's split does not know

logger = logging.getLogger(__name__)


class ModelCard(BaseModel):
    """What a model is and where it came from; printed by `haploom inspect`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal["haploom-model/1"] = "haploom-model/1"
    kind: ModelKind
    profile: str
    config: dict[str, Any]
    label_level: str
    labels: dict[str, int]  # label -> training people
    contig_length_bp: dict[str, int]
    site_fingerprint: str
    part_of: dict[str, str]  # the split: person -> train, validation or test
    training: dict[str, Any]  # settings, and which epoch was kept
    history: list[dict[str, float | str | None]]  # of each epoch; of a Y-VAE, of each label's network; None: not finite
    limits: list[str] = []  # sentences: what the model cannot do
    made_by: dict[str, Any]
    content_sha256: str = ""  # of this card, without this line, and of the arrays: see `content_sha256`


@dataclass(frozen=True, eq=False, repr=False)
class ModelFile:
    """A model's card, its sites and its arrays."""

    card: ModelCard
    variants: Variants
    arrays: Mapping[str, np.ndarray]

    @property
    def split(self) -> Split:
        return Split(self.card.part_of)

    @property
    def labels(self) -> list[str]:
        """The labels in the order of the rows of `labels.mean`."""
        return list(self.card.labels)

    @property
    def ploidy(self) -> int:
        """1 where the model's rows are haplotypes, 2 where they are unphased people."""
        return int(self.card.config.get("ploidy", 1))

    @property
    def n_parameters(self) -> int:
        """Trained numbers of the float model, so without running statistics and allele frequencies; axes of a PCA."""
        trained = {**self.group("weights"), **self.group("pca")}
        return sum(array.size for name, array in trained.items() if not name.endswith(_NOT_TRAINED))

    def parts_of(self, samples: Sequence[str]) -> tuple[str, ...]:
        """Train, validation or test for each person, or NEW where the model's split does not know them."""
        return tuple(self.card.part_of.get(sample, NEW) for sample in samples)

    def __repr__(self) -> str:
        return f"ModelFile({self.card.kind}, {len(self.variants):,} sites, labels {', '.join(self.labels)})"

    def group(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays named `prefix.*`, without the prefix."""
        start = len(prefix) + 1
        return {name[start:]: array for name, array in self.arrays.items() if name.startswith(f"{prefix}.")}


def content_sha256(card: str, arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 (hex) over a model's card (JSON) and arrays.

    The card counts as its JSON values, keys sorted and without `content_sha256`; then the arrays in order of
    name: name, dtype, shape and bytes of each.
    """
    facts = {key: value for key, value in json.loads(card).items() if key != "content_sha256"}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def write_model(model: ModelFile, path: Path | str, force: bool = False) -> None:
    """Write a model file, whole or not at all."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path = Path(path)
    variants = model.variants
    columns = (variants.chrom, variants.id, variants.ref, variants.alt)
    text = "\n".join("\t".join(site) for site in zip(*(column.tolist() for column in columns)))
    arrays = {
        **{name: np.ascontiguousarray(array) for name, array in model.arrays.items()},
        _SITE_TEXT: np.frombuffer(text.encode(), dtype=np.uint8),
        _SITE_POSITIONS: variants.position_bp.copy(),
    }
    checksum = content_sha256(model.card.model_dump_json(), arrays)
    card = model.card.model_copy(update={"content_sha256": checksum})
    with atomic_output(path, force) as partial:
        partial.touch()
        permissions = partial.stat().st_mode  # safetensors makes files that only the owner can read
        try:
            save_file(arrays, partial, metadata={_METADATA_KEY: card.model_dump_json()})
        except SafetensorError as error:  # a full disk, too
            raise HaploomError(f"cannot write {path}: {error}") from error
        partial.chmod(permissions)


def read_model(path: Path | str) -> ModelFile:
    """Read and check a model file.

    Raises HaploomError when there is none, FormatError when it is another file (or of a newer release),
    CorruptModelError when its checksum, its sites or its fingerprint do not agree.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if first_bytes(path, len(ARCHIVE_MAGIC)) == ARCHIVE_MAGIC:
        raise FormatError(f"{path} is a Haploom archive, not a model: give the file that `haploom train` wrote")
    try:
        with safe_open(path, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise FormatError(f"{path} is not a Haploom model, or it is damaged: {error}") from error
    if _METADATA_KEY not in metadata:
        raise FormatError(f"{path} is a safetensors file, but not a Haploom model: train one with `haploom train`")
    try:
        card = ModelCard.model_validate_json(metadata[_METADATA_KEY])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FormatError(
            f"{path}: the model's card is not one this release reads ({where}: {first['msg']})"
        ) from error
    if content_sha256(metadata[_METADATA_KEY], arrays) != card.content_sha256:
        raise CorruptModelError(f"{path} is damaged: its content has not the SHA-256 written in it. Fetch it again.")
    try:
        sites = arrays.pop(_SITE_TEXT).tobytes().decode()
        rows = [line.split("\t") for line in sites.split("\n")] if sites else []
        chrom, name, ref, alt = np.array(rows, dtype=STRING).reshape(-1, 4).T
        variants = Variants(chrom, arrays.pop(_SITE_POSITIONS), name, ref, alt, card.contig_length_bp)
    except (KeyError, ValueError) as error:
        raise CorruptModelError(f"{path} is damaged: its sites cannot be read ({error})") from error
    for of_labels in ("labels.mean", "labels.variance", "labels.spread"):
        if of_labels in arrays and len(np.atleast_1d(arrays[of_labels])) != len(card.labels):
            raise CorruptModelError(
                f"{path} is damaged: {of_labels} has not a row for each of {len(card.labels)} labels"
            )
    if variants.fingerprint() != card.site_fingerprint:
        raise CorruptModelError(f"{path} is damaged: its sites do not have the fingerprint written in it")
    return ModelFile(card, variants, arrays)


def read_model_once(path: Path) -> ModelFile:
    """`read_model` for a process that is given one piece of work after another: the last file read is remembered."""
    about = path.stat()
    return _read_unchanged(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=1)
def _read_unchanged(path: Path, modified_ns: int, n_bytes: int) -> ModelFile:
    return read_model(path)


def describe_model(path: Path) -> dict[str, Any]:
    """What `haploom inspect` prints of a model."""
    model = read_model(path)
    card = model.card
    return {
        "format": card.format,
        "kind": card.kind,
        "profile": card.profile,
        "sites": len(model.variants),
        "contig_names": model.variants.contigs(),
        "site_fingerprint": card.site_fingerprint,
        "label_level": card.label_level,
        "labels": card.labels,
        "config": card.config,
        "parameters": model.n_parameters,
        "rows": "haplotypes" if model.ploidy == 1 else "people",
        "training": card.training,
        "people": {part: sum(p == part for p in card.part_of.values()) for part in ("train", "validation", "test")},
        "limits": card.limits,
        "made_by": card.made_by,
        "file_bytes": path.stat().st_size,
        "sha256": file_sha256(path),
    }


def model_columns(variants: Variants, model: ModelFile) -> np.ndarray:
    """Where each of the model's sites is in `variants`: int64 (model's sites,). `chr22` here is `22` there.

    For archives, which hold alleles as they are written: nothing is recoded.
    Raises SiteMismatchError when one is absent, with how many overlap and the first that does not.
    """
    named = named_alike(model.variants, variants.contigs())
    _note_names(model.variants, named)
    columns = variants.indices_of(named)
    absent = np.flatnonzero(columns < 0)
    if len(absent):
        first = model.variants.site_keys()[absent[0]]
        raise SiteMismatchError(
            f"the model was trained on {len(columns)} sites and {len(absent)} of them are not among the "
            f"{len(variants)} here (the first: {first}). Use a file of the same sites, build and alleles, or train "
            "a model on these."
        )
    return columns


def panel_at_sites(panel: Panel, model: ModelFile) -> Panel:
    """The model's sites of a panel, in the model's order, under its names and with its alleles.

    More sites do not matter, and swapped or strand-flipped alleles are recoded with a warning. Raises
    SiteMismatchError when a site cannot be used: see `match_sites`.
    """
    match = match_sites(model.variants, panel.variants)
    matched = matched_panel(panel, match)
    _note_match(match, model)
    return replace(matched, variants=model.variants)


def rows_at_sites(panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE) -> MatchedRows:
    """A panel's rows as a model takes them, haplotypes or people, at the model's sites: absent ones are missing.

    What was recoded or is absent is said in a warning. A model of people takes phased genotypes too, as dosages. Raises
    SiteMismatchError when the panel has a smaller share of the model's sites than `min_coverage`; HaploomError for
    unphased genotypes and a model of haplotypes.
    """
    if model.ploidy == 1 and isinstance(panel, DosagePanel):
        raise HaploomError(
            "the model is one of haplotypes, and these genotypes are unphased: phase them first, or train a model of "
            "unphased people"
        )
    match = _match_of(model.variants, panel.variants)
    match.require(min_coverage)
    _note_match(match, model)
    if model.ploidy == 2 and isinstance(panel, Panel):
        panel = DosagePanel.from_panel(panel)
    return MatchedRows(panel, match)


# For batches of people at the same sites, one after another.
_match_of = lru_cache(maxsize=1)(match_sites)


def _note_match(match: SiteMatch, model: ModelFile) -> None:
    _note_names(model.variants, match.wanted)
    if match.count(Reading.EXACT) < len(match.wanted):
        logger.warning("%s", match.report())


def _note_names(own: Variants, named: Variants) -> None:
    """own: a model's sites; named: the same, on contigs as genotypes name them."""
    for name, here in zip(own.contigs(), named.contigs()):
        if name != here:
            logger.warning("the model's contig %s is taken to mean %s, as the genotypes name it", name, here)


def check_has_latents(model: ModelFile) -> None:
    """Raises HaploomError for a kind of model without a latent space: before genotypes are read for nothing."""
    if model.card.kind == "coordinates":
        raise HaploomError("a model of kind coordinates says where people are from: use it with `haploom locate`")
    if model.card.kind in WITHOUT_LATENTS:
        raise HaploomError(f"a model of kind {model.card.kind} has no latent space: train one with --kind pca or vae")


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_model_file(path: Path) -> bool:
    """Whether a file looks like safetensors."""
    return is_safetensors(first_bytes(path, SAFETENSORS_BYTES))
