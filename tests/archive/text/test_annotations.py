import gzip
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.archive.text.annotations import decode_annotations, encode_annotations
from haploom.archive.text.counts import GenotypeCounts
from haploom.archive.text.lines import LineTable
from haploom.archive.text.sites import decode_sites, encode_sites

BASES = [b"A", b"C", b"G", b"T"]
INFO_FIELDS = st.one_of(
    st.sampled_from([b"DB", b".", b"", b"AC=1", b"AF=1e-05", b"AF=0.5", b"AF=0.100", b"X=a=b", b"DP=007", b"AA=g|||",
                     b"\xc3\xa9="]),
    st.integers(0, 3000).map(b"DP=%d".__mod__),
    st.lists(st.integers(0, 9).map(b"%d".__mod__), min_size=1, max_size=3).map(lambda items: b"AC=" + b",".join(items)),
    st.binary(max_size=6).map(lambda field: field.translate(bytes.maketrans(b"\t\n", b"  "))),
)  # fmt: skip
QUAL = st.one_of(st.sampled_from([b".", b"100", b"29.5", b""]), st.integers(0, 9999).map(b"%d".__mod__))
FILTER = st.sampled_from([b"PASS", b".", b"q10;s50", b""])
FORMAT = st.sampled_from([b"GT", b"GT:DP:GQ", b"", b"."])
ROWS = st.lists(
    st.tuples(QUAL, FILTER, st.lists(INFO_FIELDS, min_size=1, max_size=4).map(b";".join), FORMAT), max_size=50
)


def some_sites(n: int, alts: list[bytes] | None = None) -> LineTable:
    alts = alts or [b"T"] * n
    return LineTable.from_list(b"22\t%d\t.\tA\t%b" % (100 + 3 * i, alt) for i, alt in enumerate(alts))


def some_counts(n: int, n_alternates: int = 1, seed: int = 0) -> GenotypeCounts:
    """200 people, two groups of 120 and 80, with rare and common alleles and some missing calls."""
    rng = np.random.default_rng(seed)
    groups = []
    for name, n_alleles in (("AFR", 240), ("EUR", 160)):
        called = n_alleles - 2 * rng.integers(0, 3, n)
        frequency = rng.beta(0.2, 1, (n, n_alternates)) / n_alternates
        groups.append((name, called, rng.binomial(called[:, None], frequency).astype(np.int64)))
    called = groups[0][1] + groups[1][1]
    return GenotypeCounts(groups[0][2] + groups[1][2], called, called // 2, tuple(groups))


def encoded(lines: list[bytes], sites: LineTable, counts: GenotypeCounts | None) -> bytes:
    """The coded bytes, after they were decoded and compared."""
    table = LineTable.from_list(lines)
    coded = encode_annotations(table, sites, counts)
    decoded = decode_annotations(coded, sites, counts, len(table.text))
    assert decoded.to_list() == lines
    assert_array_equal(decoded.starts, table.starts)
    return coded


@given(ROWS, st.booleans(), st.booleans())
def test_annotations__decode_inverts_encode(rows, with_format, with_counts):
    n = len(rows)
    lines = [b"\t".join(row if with_format else row[:3]) for row in rows]
    encoded(lines, some_sites(n), some_counts(n) if with_counts else None)


def spelled_info(counts: GenotypeCounts, spell) -> list[bytes]:
    """INFO with everything that follows from the counts; frequencies as `spell` writes them."""
    column = []
    for i in range(len(counts.called)):
        fields = [f"AN={counts.called[i]}", f"NS={counts.samples_with_calls[i]}"]
        for name, called, alternate in [("", counts.called, counts.alternate), *counts.groups]:
            frequencies = ",".join(spell(int(a), int(called[i])) for a in alternate[i])
            fields += [f"{name}AC=" + ",".join(map(str, alternate[i])), f"AF_{name.lower()}={frequencies}"]
        column.append(";".join(fields).encode())
    return column


SPELLINGS = {
    "1000 Genomes": lambda a, n: f"{a / n:.6f}".rstrip("0").rstrip("."),
    "four decimals": lambda a, n: f"{a / n:.4f}",
    "gnomAD": lambda a, n: f"{a / n:.5e}",
    "fill-tags": lambda a, n: f"{np.float32(a) / np.float32(n):.6g}",
    "Python": lambda a, n: repr(a / n),
}


@pytest.mark.parametrize("style", SPELLINGS)
@pytest.mark.parametrize("n_alternates", [1, 3])
def test_annotations__info_of_the_genotypes_costs_almost_nothing(style, n_alternates):
    n = 1500
    counts = some_counts(n, n_alternates)
    sites = some_sites(n, [b",".join(BASES[:n_alternates])] * n)
    lines = [b".\tPASS\t" + info + b"\tGT" for info in spelled_info(counts, SPELLINGS[style])]
    assert len(encoded(lines, sites, counts)) < 250
    assert len(encoded(lines, sites, None)) > 3000


@pytest.mark.parametrize(
    ("name", "most_site_bytes", "most_annotation_bytes"),
    [("chr22-dense.vcf.gz", 6.0, 2.0), ("chr22-whole.vcf.gz", 6.5, 0.1)],
)
def test_annotations__real_columns(real_data, name, most_site_bytes, most_annotation_bytes):
    """AC, AF, NS, AN and the frequencies of five superpopulations follow from the genotypes: what is left is DP."""
    populations = dict(line.split("\t")[::2] for line in (real_data / "populations.tsv").read_text().splitlines())
    lines, cells = [], []
    with gzip.open(real_data / name, "rb") as text:
        for line in text:
            if line.startswith(b"#CHROM"):
                labels = np.array([populations[sample] for sample in line.decode().split()[9:]])
            if not line.startswith(b"#"):
                *fixed, calls = line.rstrip(b"\n").split(b"\t", 9)
                lines.append(fixed)
                cells.append(np.frombuffer(calls + b"\t", np.uint8).reshape(-1, 4)[:, [0, 2]] - ord("0"))
            if len(lines) == 2000:
                break
    alleles = np.stack(cells).astype(np.int64)  # records, people, 2
    n = len(lines)
    groups = []
    for label in np.unique(labels):
        of_label = alleles[:, labels == label]
        groups.append((str(label), np.full(n, 2 * of_label.shape[1]), of_label.sum((1, 2))[:, None]))
    counts = GenotypeCounts(
        alleles.sum((1, 2))[:, None], np.full(n, 2 * len(labels)), np.full(n, len(labels)), tuple(groups)
    )
    sites = LineTable.from_list(b"\t".join(fixed[:5]) for fixed in lines)
    coded_sites = encode_sites(sites)
    assert decode_sites(coded_sites, n, len(sites.text)).to_list() == sites.to_list()
    coded = encoded([b"\t".join(fixed[5:]) for fixed in lines], sites, counts)
    assert len(coded_sites) < most_site_bytes * n
    assert len(coded) < most_annotation_bytes * n


def test_annotations__a_wrong_prediction_costs_no_more_than_itself():
    counts = some_counts(1000)
    sites = some_sites(1000)
    column = spelled_info(counts, SPELLINGS["1000 Genomes"])
    right = encoded([b".\t.\t" + info for info in column], sites, counts)
    column[500] = column[500].replace(b"AN=", b"AN=9")
    assert len(encoded([b".\t.\t" + info for info in column], sites, counts)) < len(right) + 20


def test_annotations__every_record_with_keys_of_its_own():
    lines = [b".\t.\tK%d=%d;L%d" % (i, i, i) for i in range(500)]
    assert len(encoded(lines, some_sites(500), None)) < 2500


def test_annotations__millions_of_fields_in_one_record():
    lines = [b".\t.\t" + b"a=1;" * 1_200_000, b".\t.\tDB"]
    assert len(encoded(lines, some_sites(2), None)) < 1000


def test_annotations__wrong_tables_are_refused():
    sites = some_sites(2)
    with pytest.raises(ValueError, match="3 or 4"):
        encode_annotations(LineTable.from_list([b".\t.", b".\t."]), sites, None)
    with pytest.raises(ValueError, match="3 columns"):
        encode_annotations(LineTable.from_list([b".\t.\t.", b".\t.\t.\tGT"]), sites, None)


def test_annotations__more_than_may_be_is_an_error():
    lines = LineTable.from_list([b".\t.\t" + b"A" * 5000] * 50)
    coded = encode_annotations(lines, some_sites(50), None)
    with pytest.raises(ValueError, match="at most"):
        decode_annotations(coded, some_sites(50), None, len(lines.text) - 1)


@given(st.randoms(use_true_random=False))
def test_annotations__damage_is_an_error_or_other_lines(random):
    n = 60
    counts, sites = some_counts(n), some_sites(n)
    column = spelled_info(counts, SPELLINGS["Python"])
    lines = LineTable.from_list(b"%d\t.\t%b;DP=%d;ID=rs%d\tGT" % (i, info, i * i, i) for i, info in enumerate(column))
    coded = bytearray(encode_annotations(lines, sites, counts))
    for _ in range(random.randint(1, 3)):
        coded[random.randrange(len(coded))] = random.randrange(256)
    try:
        decoded = decode_annotations(bytes(coded[: random.choice([len(coded), 20])]), sites, counts, len(lines.text))
    except ValueError:
        return
    assert len(decoded) == n
    assert len(decoded.text) <= len(lines.text)


def test_annotations__bytes_are_those_of_the_specification():
    """Any change of these bytes is a change of the format: it needs other codec ids, `sites/1` and `annotations/1`."""
    n = 400
    random = [(i * i * 2654435761 + i * 40503) % 2**32 >> 9 for i in range(n)]
    alternate = np.array([[r % 97 // (1 + r % 7), r % 5] for r in random])
    counts = GenotypeCounts(alternate, np.full(n, 400), np.full(n, 200), (("EUR", np.full(n, 160), alternate // 3),))
    sites = LineTable.from_list(
        b"22\t%d\t%b\t%b\t%b"
        % (
            10**6 + 40 * i + r % 40,
            b"rs%d" % r if r % 9 else b".",
            BASES[r % 4],
            BASES[(r + 1) % 4] + b",<DEL>" * (r % 11 == 0),
        )
        for i, r in enumerate(random)
    )
    columns = [line.split(b"\t") for line in sites.to_list()]
    lines = []
    for column, r, (one, two) in zip(columns, random, alternate.tolist()):
        several = b"," in column[4]
        frequency = b"%.3f,%.3f" % (one / 400, two / 400) if several else b"%.3f" % (one / 400)
        lines.append(
            b"%d\tPASS\tAF=%b;DP=%d;AA=%b;FS=%d.%d%b\tGT"
            % (r % 90, frequency, 900 + r % 300, column[3], r % 5, r % 7, b";DB" * (r % 13 == 0))
        )
    coded = encode_sites(sites), encoded(lines, sites, counts)
    assert [hashlib.sha256(part).hexdigest()[:16] for part in coded] == ["b55f36023ff2019d", "f633dc6489c21634"]
