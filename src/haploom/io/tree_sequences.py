"""tskit tree sequences: .trees, and .tsz as tszip makes them.

Read as tskit's own VCFs have them: the ancestral state is REF, positions are rounded, an isolated sample without
mutations is missing. Names are `name` of the individuals' metadata, else tskit's (tsk_0, tsk_1, ...); without
individuals, people are consecutive pairs of samples. The populations' names become level "population". The contig
is `contig` of the file's metadata, else "1".

Written, a tree sequence holds the alleles and no genealogy: below one root hangs every haplotype, with a mutation
for each alternate allele it carries. tsinfer infers a genealogy from it, or from VCF Zarr.
Source: tskit 1.0's documentation (data model, export to VCF).
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from haploom import progress
from haploom.errors import FormatError, HaploomError
from haploom.io.extras import load
from haploom.io.output import atomic_output
from haploom.io.site_tables import Calls, SiteTable, checked_variants
from haploom.panel import Panel
from haploom.panel.variants import STRING

LEVEL = "population"
_NAME, _CONTIG = "name", "contig"
_DEFAULT_CONTIG = "1"
_BLOCK_BYTES = 1 << 24


@dataclass(frozen=True, eq=False)
class _TreesTable(SiteTable):
    tskit: Any
    trees: Any
    nodes: np.ndarray  # int32 (n_samples, 2)

    def calls(self, sites: np.ndarray, people: np.ndarray) -> Calls:
        variant = self.tskit.Variant(self.trees, samples=self.nodes[people].ravel())
        alleles = np.empty((len(sites), 2 * len(people)), dtype=np.int8)
        for row, site in enumerate(sites.tolist()):
            variant.decode(site)
            alleles[row] = variant.genotypes
        return Calls(alleles.reshape(len(sites), len(people), 2))


@contextmanager
def open_table(source: Path) -> Iterator[SiteTable]:
    """The tree sequence in a .trees or .tsz file. Raises FormatError, MissingExtraError."""
    tskit = load("tskit", "tskit", "Reading tree sequences")
    if source.suffix == ".trees":
        loader, wrong = tskit.load, tskit.FileFormatError
    else:  # tszip tells by content which of the two it is
        tszip = load("tszip", "tszip", "Reading .tsz files")
        loader, wrong = tszip.load, tszip.exceptions.FileFormatError
    # Damage may show only when a site is decoded; texts that are no UTF-8 are ValueErrors.
    damage = (
        tskit.LibraryError, tskit.FileFormatError, tskit.MetadataValidationError, wrong, OSError, EOFError, ValueError,
        KeyError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error,
    )  # fmt: skip
    try:
        yield _table(source, loader(source), tskit)
    except damage as error:
        raise FormatError(f"{source}: tskit cannot read it ({error}): is it damaged? Get the file again") from error


def _table(source: Path, trees: Any, tskit: Any) -> SiteTable:
    nodes, names = _people(source, trees, tskit)
    metadata = trees.metadata
    contig = metadata.get(_CONTIG, _DEFAULT_CONTIG) if isinstance(metadata, dict) else _DEFAULT_CONTIG
    columns = {
        "chrom": np.full(trees.num_sites, contig, dtype=STRING),
        "position_bp": np.round(trees.sites_position).astype(np.int64),
        "id": np.full(trees.num_sites, ".", dtype=STRING),
        "ref": np.array(trees.sites_ancestral_state, dtype=STRING),
        "alt": _alternates(trees),
        "contig_length_bp": {contig: max(1, int(np.round(trees.sequence_length)))},
    }
    variants = checked_variants(source, columns, "is the file damaged?")
    return _TreesTable(source, names, variants, _populations(trees, nodes), tskit, trees, nodes)


def _people(source: Path, trees: Any, tskit: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """The two nodes of each person, int32 (n, 2), and their names."""
    samples = trees.samples()
    owners = trees.nodes_individual[samples]
    if trees.num_individuals == 0:
        if len(samples) % 2 or not len(samples):
            raise FormatError(f"{source} has {len(samples)} sample nodes and no individuals: wanted two nodes a person")
        return samples.reshape(-1, 2), tuple(f"tsk_{person}" for person in range(len(samples) // 2))
    people, counts = np.unique(owners, return_counts=True)
    if not len(people) or people[0] == tskit.NULL or (counts != 2).any():
        found = ", ".join(map(str, np.unique(counts).tolist())) or "no"
        raise FormatError(
            f"{source}: individuals have {found} sample nodes, or some nodes no individual: wanted diploid people, "
            "two sample nodes each; simplify to those with `ts.simplify`"
        )
    nodes = samples[np.argsort(owners, kind="stable")].reshape(-1, 2)
    metadata = [trees.individual(person).metadata for person in people.tolist()]
    named = [str(each[_NAME]) for each in metadata if isinstance(each, dict) and each.get(_NAME)]
    if len(set(named)) == len(people):
        return nodes, tuple(named)
    return nodes, tuple(f"tsk_{person}" for person in people.tolist())


def _alternates(trees: Any) -> np.ndarray:
    """Allele states of each site other than the ancestral, joined by commas; `.` where there is none."""
    alternates = np.full(trees.num_sites, ".", dtype=STRING)
    if not trees.num_mutations:
        return alternates
    states, codes = np.unique(np.array(trees.mutations_derived_state, dtype=STRING), return_inverse=True)
    pairs = np.unique(trees.mutations_site.astype(np.int64) * len(states) + codes)
    sites, codes = np.divmod(pairs, len(states))
    derived = states[codes] != np.array(trees.sites_ancestral_state, dtype=STRING)[sites]
    sites, names = sites[derived], states[codes[derived]]
    first = np.diff(sites, prepend=-1) > 0
    alternates[sites[first]] = names[first]
    for site, name in zip(sites[~first].tolist(), names[~first].tolist()):
        alternates[site] = f"{alternates[site]},{name}"
    return alternates


def _populations(trees: Any, nodes: np.ndarray) -> dict[str, np.ndarray]:
    """Level "population", where every person's population has a name."""
    names = [
        str(each.metadata.get(_NAME) or "") if isinstance(each.metadata, dict) else "" for each in trees.populations()
    ]
    of_person = trees.nodes_population[nodes[:, 0]]
    if not names or (of_person < 0).any() or not all(names[each] for each in np.unique(of_person)):
        return {}
    return {LEVEL: np.array(names, dtype=STRING)[of_person]}


def write_tree_sequence(panel: Panel, path: Path, force: bool = False) -> None:
    """Write a panel to .trees, or .tsz with tszip. Holds one contig, its length, names, and level "population".

    Raises HaploomError for several contigs or sites at one position, which tskit does not hold, or when `path`
    exists and not `force`; MissingExtraError without tskit.
    """
    tskit = load("tskit", "tskit", "Writing tree sequences")
    tszip = load("tszip", "tszip", "Writing .tsz files") if path.suffix == ".tsz" else None
    trees = _tables(panel, path, tskit).tree_sequence()
    with atomic_output(path, force) as partial:
        if tszip is None:
            trees.dump(partial)
        else:
            tszip.compress(trees, partial)


def _tables(panel: Panel, path: Path, tskit: Any) -> Any:
    variants = panel.variants
    contigs = variants.contigs()
    if len(contigs) > 1:
        raise HaploomError(
            f"cannot write {path}: a tree sequence holds one contig, here are {', '.join(contigs[:5])}: choose one -r"
        )
    again = np.flatnonzero(np.diff(variants.position_bp) == 0)
    if len(again):
        raise HaploomError(
            f"cannot write {path}: a tree sequence holds one site a position, and {len(again)} repeat the one before "
            f"them, first {contigs[0]}:{variants.position_bp[again[0]]}: leave them out with --sites"
        )
    last_bp = int(variants.position_bp[-1]) if len(variants) else 0
    contig = contigs[0] if contigs else _DEFAULT_CONTIG
    tables = tskit.TableCollection(max(variants.contig_length_bp.get(contig, 0), last_bp + 1))
    schema = tskit.MetadataSchema.permissive_json()
    tables.metadata_schema = tables.individuals.metadata_schema = tables.populations.metadata_schema = schema
    tables.metadata = {_CONTIG: contig}
    _add_people(tables, panel, tskit)
    offsets, text = _text_columns(variants.ref.tolist())
    tables.sites.set_columns(
        position=variants.position_bp.astype(np.float64),
        ancestral_state=text,
        ancestral_state_offset=offsets.astype(np.uint64),
    )
    _add_mutations(tables, panel)
    return tables


def _add_people(tables: Any, panel: Panel, tskit: Any) -> None:
    population = np.full(panel.n_samples, tskit.NULL, dtype=np.int32)
    if LEVEL in panel.populations:
        names, codes = np.unique(panel.populations[LEVEL], return_inverse=True)
        population = codes.astype(np.int32)
        for name in names.tolist():
            tables.populations.add_row({_NAME: name})
    for name in panel.samples:
        tables.individuals.add_row(metadata={_NAME: name})
    n = panel.n_haplotypes
    tables.nodes.set_columns(
        flags=np.append(np.full(n, tskit.NODE_IS_SAMPLE, dtype=np.uint32), np.uint32(0)),
        time=np.append(np.zeros(n), 1.0),
        individual=np.append(np.repeat(np.arange(panel.n_samples, dtype=np.int32), 2), np.int32(tskit.NULL)),
        population=np.append(np.repeat(population, 2), np.int32(tskit.NULL)),
    )
    tables.edges.set_columns(
        left=np.zeros(n), right=np.full(n, tables.sequence_length), parent=np.full(n, n, dtype=np.int32),
        child=np.arange(n, dtype=np.int32),
    )  # fmt: skip


def _add_mutations(tables: Any, panel: Panel) -> None:
    """A mutation above each haplotype for each alternate allele, site after site."""
    offsets, text = _text_columns(panel.variants.alt.tolist())
    step = 8 * max(1, _BLOCK_BYTES // (8 * panel.n_haplotypes))
    with progress.task("Writing sites", total=panel.n_sites) as advance:
        for start in range(0, panel.n_sites, step):
            stop = min(start + step, panel.n_sites)
            alleles = np.unpackbits(panel.bits[:, start // 8 : -(-stop // 8)], axis=1, count=stop - start)
            sites, nodes = np.nonzero(alleles.T)
            lengths = np.diff(offsets)[sites + start]
            ends = np.cumsum(lengths)
            # Bytes of each mutation's state: from where its site's alternate begins, as many as it has.
            places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(
                offsets[sites + start] - ends + lengths, lengths
            )
            tables.mutations.append_columns(
                site=(sites + start).astype(np.int32), node=nodes.astype(np.int32), derived_state=text[places],
                derived_state_offset=np.append(0, ends).astype(np.uint64),
            )  # fmt: skip
            advance(stop - start)


def _text_columns(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Offsets int64 (n + 1,) and bytes int8 of texts one after another, as tskit wants them."""
    data = [text.encode() for text in texts]
    offsets = np.append(0, np.cumsum([len(each) for each in data])).astype(np.int64)
    return offsets, np.frombuffer(b"".join(data), dtype=np.int8)
