"""Reading an archive: what is in it, its text, its alleles, and whether they are what was stored."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays

from haploom import progress
from haploom.archive import blocks as parts
from haploom.archive.blocks import Groups, StoredBlock
from haploom.archive.container import Container, Manifest, stored_bytes
from haploom.archive.genotypes import GenotypeCodec, Statistical
from haploom.archive.header_lines import HEADER_CODEC, decode_header
from haploom.archive.limits import check_sizes
from haploom.archive.model_codecs import NEURAL_CODECS, model_tensors, neural_codec
from haploom.archive.neural import NeuralCodec
from haploom.archive.panels import haplotype_major, sample_names, variants_of
from haploom.archive.reference import Reference
from haploom.archive.spans import RecordSpans, record_spans, unescaped
from haploom.archive.text.lines import LineTable
from haploom.entropy_coding.byte_packing import unpack_bytes
from haploom.errors import CorruptArchiveError, FormatError, HaploomError
from haploom.io.model_file import file_sha256, read_model
from haploom.io.regions import Regions
from haploom.io.vcf_header import contig_line
from haploom.panel import Panel, Variants
from haploom.panel.bits import row_bytes
from haploom.panel.samples import sample_indices
from haploom.panel.variants import STRING

PACKED = "packed/1"  # a section of packed bytes
STEPS = "packed-steps/1"  # and one of packed int64, each less the one before it, the first less -1
HEADER, POPULATIONS, MODEL, MODEL_RECORDS, MAJORITY = "header", "populations", "model", "model-records", "majority"
KNOWN_CODECS = frozenset({PACKED, STEPS, *Statistical.codec_ids, *NEURAL_CODECS, *parts.TEXT_CODECS.values()}) | {
    HEADER_CODEC, parts.PLAIN_CELLS, *parts.BESIDE_CODECS.values(),
}  # fmt: skip


class Archive:
    """An opened `.hlm` file. Samples and sites are read without touching genotypes."""

    def __init__(self, path: Path | str, model: "Path | str | Archive | None" = None) -> None:
        """model: the model file, where the archive refers to one instead of holding it, or the reference archive (or
        where it is), where it was stored beside one.

        Raises FormatError, CorruptArchiveError, or, when the model or reference is first needed and is not the right
        one, HaploomError.
        """
        self.path = Path(path)
        self._container = Container(self.path)
        self._given = model if isinstance(model, Archive) else None
        self._model_path = Path(model) if isinstance(model, Path | str) else None
        if unknown := sorted(set(self.manifest.requires) - KNOWN_CODECS):
            raise FormatError(f"{path} needs codecs this release does not have: {', '.join(unknown)}. Upgrade haploom.")
        try:
            check_sizes(self.manifest, self._container.section(HEADER).decoded_bytes)
        except ValueError as error:
            raise CorruptArchiveError(f"{path} is damaged: its manifest does not add up: {error}") from error

    def __repr__(self) -> str:
        about = self.manifest
        return f"Archive({self.path}: {about.n_samples:,} people, {about.n_records:,} sites)"

    @property
    def manifest(self) -> Manifest:
        return self._container.manifest

    @cached_property
    def header(self) -> bytes:
        """The text before the records, as it was."""
        return self._packed(HEADER)

    @cached_property
    def samples(self) -> tuple[str, ...]:
        """Names of the people, in order; bytes that are not UTF-8 come as surrogates."""
        names = sample_names(self.header) if self.manifest.n_samples else ()
        if len(names) != self.manifest.n_samples:
            raise self._damaged(HEADER, f"it names {len(names)} samples, not {self.manifest.n_samples}")
        return names

    @cached_property
    def populations(self) -> dict[str, np.ndarray]:
        """Label levels the archive was given -> strings (n_samples,)."""
        if POPULATIONS not in self.manifest.sections:
            return {}
        try:
            levels = json.loads(self._packed(POPULATIONS))
            columns = {str(level): np.array(labels, dtype=STRING) for level, labels in levels.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise self._damaged(POPULATIONS, error) from error
        if any(column.shape != (self.manifest.n_samples,) for column in columns.values()):
            raise self._damaged(POPULATIONS, "labels of other people")
        return columns

    @cached_property
    def variants(self) -> Variants:
        """The sites. Raises HaploomError where the text is no panel: see `read`."""
        return self._variants([self.block(number).sites for number in range(len(self.manifest.blocks))])

    def text(self, threads: int = 1) -> Iterator[bytes]:
        """The VCF text that was stored, every byte, in pieces. Blocks are decoded by `threads` threads.

        Raises CorruptArchiveError at the first checksum that differs; that of the whole text comes after the last
        piece, so nothing may be kept before the iterator ends.
        """
        digest, n_bytes = hashlib.sha256(), 0
        for piece in self._text_pieces(threads):
            digest.update(piece)
            n_bytes += len(piece)
            yield piece
        if digest.hexdigest() != self.manifest.text_sha256 or n_bytes != self.manifest.text_bytes:
            raise CorruptArchiveError(f"{self.path} is damaged: its text does not have the SHA-256 that was stored")

    def verify(self, threads: int = 1) -> None:
        """Decode everything and compare every checksum. Raises CorruptArchiveError at the first that differs."""
        for _ in self.text(threads):
            pass

    def _text_pieces(self, threads: int) -> Iterator[bytes]:
        yield self.header
        with progress.task("Decoding", self.manifest.n_records) as advance:
            for block in self._decoded_blocks(range(len(self.manifest.blocks)), threads):
                for piece in block.text():
                    yield piece.tobytes()
                advance(block.n_records)

    def select_text(
        self, regions: Sequence[str] = (), samples: Sequence[str] | None = None, header: bool = True
    ) -> Iterator[bytes]:
        """Some records and people as VCF text: as `bcftools view -I -r ... -s ...` chooses them.

        regions: "22", "22:100-200", ...; none for all. samples: in this order; None for all. Only blocks that
        can overlap are decoded. Lines that are not records are left out. Raises HaploomError for unknown names.
        """
        people = np.arange(len(self.samples)) if samples is None else sample_indices(self.samples, samples)
        wanted = Regions(regions)
        wanted.check_contigs(self._contigs, self.path)
        if header:
            yield self._header_of(people)
        for number in self._touched(wanted):
            block = self.block(number)
            chosen = self._overlapping(block, wanted)
            if chosen.any():
                yield block.records(chosen, people)

    def read(self, regions: Sequence[str] = (), samples: Sequence[str] | None = None) -> Panel:
        """The phased haplotypes as a panel, or only some regions and people of it, in the order given.

        Raises HaploomError where the text is no panel: calls that are unphased, missing or not diploid, sites
        with more than two alleles, positions that go back.
        """
        people = np.arange(len(self.samples)) if samples is None else sample_indices(self.samples, samples)
        wanted = Regions(regions)
        wanted.check_contigs(self._contigs, self.path)
        sites, rows = [], [np.empty((0, row_bytes(2 * len(self.samples))), dtype=np.uint8)]
        numbers = list(self._touched(wanted))
        with progress.task("Decoding", len(numbers)) as advance:
            for number in numbers:
                some_sites, some_rows = self._haplotypes(self.block(number), wanted)
                sites.append(some_sites)
                rows.append(some_rows)
                advance()
        return self._panel(sites, np.concatenate(rows), people)

    def panels(self, samples: Sequence[str] | None = None) -> Iterator[Panel]:
        """`read`, block after block, so that memory does not grow with the sites. There may be none."""
        people = np.arange(len(self.samples)) if samples is None else sample_indices(self.samples, samples)
        for number in range(len(self.manifest.blocks)):
            sites, rows = self._haplotypes(self.block(number), Regions(()))
            yield self._panel([sites], rows, people)

    def _haplotypes(self, block: StoredBlock, wanted: Regions) -> tuple[LineTable, np.ndarray]:
        """Sites and site-major bits of a block's wanted records, which must be plain."""
        chosen = self._overlapping(block, wanted)
        if not block.calls.plain[chosen].all():
            raise HaploomError(
                f"{self.path} holds calls that are not phased, diploid and complete, which a panel cannot: "
                "take its text with `haploom decompress`"
            )
        sites = LineTable.from_list(block.sites.line(i) for i in np.flatnonzero(chosen).tolist())
        return sites, block.bits[chosen]

    def _panel(self, sites: Sequence[LineTable], rows: np.ndarray, people: np.ndarray) -> Panel:
        variants = self._variants(sites)
        populations = {level: labels[people] for level, labels in self.populations.items()}
        names = tuple(self.samples[person] for person in people)
        return Panel(haplotype_major(rows, people), variants, names, populations)

    def describe(self) -> dict[str, Any]:
        """What `haploom inspect` prints: nothing is decoded."""
        manifest = self.manifest
        sections = manifest.sections
        genotype_bytes = stored_bytes(sections, parts.GENOTYPES, parts.CELLS, MODEL_RECORDS, MAJORITY)
        model, reference = manifest.model, manifest.reference
        codecs = [section.codec for name, section in sections.items() if name.endswith(parts.GENOTYPES)]
        n_alleles = 2 * manifest.n_samples * manifest.n_records
        return {
            "format": manifest.format,
            "level": manifest.level,
            "sites": manifest.n_records,
            "samples": manifest.n_samples,
            "haplotypes": 2 * manifest.n_samples,
            "total_bytes": self._container.total_bytes,
            "genotype_bytes": genotype_bytes,
            "variant_bytes": stored_bytes(sections, parts.SITES),
            "annotation_bytes": stored_bytes(sections, parts.ANNOTATIONS),
            "header_bytes": stored_bytes(sections, HEADER, POPULATIONS),
            "model_bytes": model.stored_bytes if model else 0,
            "model_embedded": model.embedded if model else None,
            "model_sha256": model.sha256 if model else None,
            "reference_sha256": reference.sha256 if reference else None,
            "reference_bytes": reference.n_bytes if reference else None,
            "reference_samples": reference.n_samples if reference else None,
            "bits_per_allele": 8 * genotype_bytes / n_alleles if n_alleles else None,
            "paper_counted_bytes": None if manifest.paper_size_bits is None else -(-manifest.paper_size_bits // 8),
            "blocks": {codec: codecs.count(codec) for codec in sorted(set(codecs))},
            "text_bytes": manifest.text_bytes,
            "text_sha256": manifest.text_sha256,
            "source_format": manifest.source_format,
            "not_kept": manifest.not_kept,
            "made_by": manifest.made_by,
        }

    def block(self, number: int) -> StoredBlock:
        """A block; nothing of it is decoded until it is asked for."""
        return StoredBlock(self._container, number, len(self.samples), self._codecs, self._groups, self._reference)

    def _decoded_blocks(self, numbers: Sequence[int], threads: int) -> Iterator[StoredBlock]:
        """Blocks in order, decoded by several threads, at most one more than threads in memory."""

        def decoded(number: int) -> StoredBlock:
            block = self.block(number)
            _ = block.cells, block.annotations, self._spans(block)
            return block

        if threads == 1:
            yield from map(decoded, numbers)
            return
        with ThreadPoolExecutor(threads) as pool:
            waiting: list[Any] = []
            for number in numbers:
                waiting.append(pool.submit(decoded, number))
                if len(waiting) > threads:
                    yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()

    def _touched(self, wanted: Regions) -> Iterator[int]:
        """Numbers of the blocks that can hold a wanted record."""
        for number, block in enumerate(self.manifest.blocks):
            if not wanted:
                yield number
                continue
            for stretch in block.stretches:
                start, end = np.array([stretch.start_bp]), np.array([stretch.end_bp])
                if wanted.overlapping(unescaped(stretch.contig), start, end)[0]:
                    yield number
                    break

    def _overlapping(self, block: StoredBlock, wanted: Regions) -> np.ndarray:
        """bool (n_records,): the records of a block that overlap a wanted region."""
        if not wanted:
            return np.ones(block.n_records, dtype=bool)
        return self._spans(block).overlapping(wanted)

    def _spans(self, block: StoredBlock) -> RecordSpans:
        """Where the records of a block are: as the manifest says, or it is damaged."""
        spans = record_spans(block.sites, block.annotations if block.about.ends_in_info else None)
        if spans.stretches() != block.about.stretches:
            raise CorruptArchiveError(f"{self.path} is damaged: block {block.number} is not where its manifest says")
        return spans

    @cached_property
    def _contigs(self) -> list[str]:
        """Contigs that records are on, or that the header declares."""
        on = [unescaped(stretch.contig) for block in self.manifest.blocks for stretch in block.stretches]
        declared = [name for line in self.header.split(b"\n") if (name := contig_line(line)[0]) is not None]
        return list(dict.fromkeys([*on, *declared]))

    def _header_of(self, people: np.ndarray) -> bytes:
        """The header with only some people in its last line."""
        before, newline, last = self.header.rstrip(b"\r\n").rpartition(b"\n")
        columns = last.split(b"\t")
        if len(columns) <= 9:
            return self.header
        return before + newline + b"\t".join([*columns[:9], *(columns[9 + person] for person in people)]) + b"\n"

    def _variants(self, tables: Sequence[LineTable]) -> Variants:
        try:
            return variants_of(tables, self.header)
        except (ValueError, OverflowError) as error:
            raise HaploomError(f"{self.path} holds no panel: {error}") from error

    @cached_property
    def _groups(self) -> Groups:
        level = self.manifest.label_level
        if level is None:
            return {}
        if level not in self.populations:
            raise self._damaged(POPULATIONS, f"it has no level {level}")
        labels = self.populations[level]
        return {label: labels == label for label in sorted(set(labels.tolist()))}

    @cached_property
    def _reference(self) -> Reference | None:
        """The archive this one was stored beside, checked to be that one."""
        wanted = self.manifest.reference
        if wanted is None:
            return None
        if self._given is None and self._model_path is None:
            raise HaploomError(
                f"{self.path} needs its reference, an archive of {wanted.n_samples:,} people, SHA-256 {wanted.sha256}: "
                "give it with --model"
            )
        reference = (self._given or Archive(self._model_path or "")).as_reference
        reference.check(wanted, self.path)
        return reference

    @cached_property
    def as_reference(self) -> Reference:
        """This archive as one that others are stored beside. Raises HaploomError where it cannot be."""
        return Reference(self)

    @cached_property
    def _codecs(self) -> dict[str, GenotypeCodec]:
        codecs: dict[str, GenotypeCodec] = dict.fromkeys(Statistical.codec_ids, Statistical())
        if self.manifest.model is not None:
            codecs |= {
                codec_id: self._neural(codec_id) for codec_id in self.manifest.requires if codec_id in NEURAL_CODECS
            }
        return codecs

    def _neural(self, codec_id: str) -> NeuralCodec:
        n_records = self.manifest.n_records
        records = self._model_records()
        majority = self._majority() if NEURAL_CODECS[codec_id].wants_majority else np.empty(0, dtype=np.uint8)
        places = np.unique(records)
        if len(places) != len(records) or not _within(places, n_records):
            raise self._damaged(MODEL_RECORDS, "they are not records of this archive")
        try:
            return neural_codec(codec_id, self._model_tensors(codec_id), records, majority)
        except (ValueError, MemoryError) as error:
            raise self._damaged(MODEL, error) from error

    def _model_records(self) -> np.ndarray:
        data = self._packed(MODEL_RECORDS)
        if len(data) % 8:
            raise self._damaged(MODEL_RECORDS, f"{len(data)} bytes are not whole numbers of 8")
        numbers = np.frombuffer(data, dtype="<i8")
        return np.cumsum(numbers) - 1 if self._container.section(MODEL_RECORDS).codec == STEPS else numbers

    def _majority(self) -> np.ndarray:
        packed = np.frombuffer(self._packed(MAJORITY), dtype=np.uint8)
        if len(packed) != row_bytes(self.manifest.n_records):
            raise self._damaged(MAJORITY, f"it is not of {self.manifest.n_records} records")
        return np.unpackbits(packed, count=self.manifest.n_records)

    def _model_tensors(self, codec_id: str) -> dict[str, np.ndarray]:
        reference = self.manifest.model
        assert reference is not None
        if reference.embedded:
            try:
                return load_arrays(self._packed(MODEL))
            except SafetensorError as error:
                raise self._damaged(MODEL, error) from error
        if self._model_path is None:
            raise HaploomError(f"{self.path} needs its model, SHA-256 {reference.sha256}: give it with --model")
        found = file_sha256(self._model_path)
        if found != reference.sha256:
            raise HaploomError(
                f"{self._model_path} is not the model of {self.path}: its SHA-256 is {found}, wanted {reference.sha256}"
            )
        return model_tensors(read_model(self._model_path), codec_id)

    def _packed(self, name: str) -> bytes:
        """A section of packed bytes, decoded and checked."""
        section = self._container.section(name)
        try:
            stored = self._container.stored(name)
            if section.codec == HEADER_CODEC:
                if self._reference is None:
                    raise ValueError("it is stored beside a reference, but none is named")
                decoded = decode_header(stored, self._reference.archive.header, section.decoded_bytes)
            else:
                decoded = unpack_bytes(stored, section.decoded_bytes)
        except (ValueError, MemoryError, IndexError) as error:
            raise self._damaged(name, error) from error
        self._container.check(name, decoded)
        return decoded

    def _damaged(self, section: str, why: object) -> CorruptArchiveError:
        return CorruptArchiveError(f"{self.path} is damaged: {section}: {why}")


def _within(places: np.ndarray, n: int) -> bool:
    return not len(places) or (places[0] >= 0 and places[-1] < n)


def open_archive(path: Path | str, model: Path | str | Archive | None = None) -> Archive:
    """Open an archive for reading. `model`, a model file or a reference archive, is needed where it refers to one."""
    return Archive(path, model)
