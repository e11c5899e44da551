"""VCF texts of every kind an archive must hold, made by hypothesis."""

from hypothesis import strategies as st

_ENDS = [b"\n", b"\r\n"]
# Anything but the bytes that end a column or a line.
WORDS = st.binary(max_size=6).map(lambda word: word.replace(b"\n", b"n").replace(b"\t", b"t"))
_BASES = st.text("ACGTN", min_size=1, max_size=12).map(str.encode)
_ALTS = st.sampled_from([b".", b"<DEL>", b"*", b"G]17:198982]", b"A,C", b"A,<INS>,T"]) | _BASES
_CHROMS = st.sampled_from([b"22", b"chrX", b"HLA-A*01:01", b"Y"])
_POSITIONS = st.sampled_from([b"0", b"007", b"1", b"99999999999999999999"]) | st.integers(1, 300).map(b"%d".__mod__)
_IDS = st.sampled_from([b".", b"rs1", b"rs12;rs13"])
_QUALS = st.sampled_from([b".", b"50", b"1e-05", b"0.100", b"+5"])
_FILTERS = st.sampled_from([b"PASS", b".", b"q10;s50"])
_INFOS = st.sampled_from([b".", b"AC=1;AN=4", b"AF=0.000599;DB", b"X==;X=2;;", b"END=5;AA=G|||", "Ä=ö".encode()])
_FORMATS = st.sampled_from(
    [b"GT", b"GT", b"GT", b"GT:DP", b"GT:AD:DP:GQ:PL", b"DP:GT", b"DP", b".", b"", b"GT:GT", b"DS:DS:GT", b"GT:"]
) | st.lists(st.sampled_from([b"GT", b"DP", b"PL", b"FT"]), min_size=1, max_size=5).map(b":".join)
_PHASED = st.sampled_from([b"0|0", b"0|1", b"1|0", b"1|1"])
_CALLS = (
    _PHASED
    | st.sampled_from([b"0/0", b"0/1", b"./.", b".|.", b".", b"0", b"1", b"2|0", b"0/2", b"1|12", b".|1", b"0/."])
    | st.sampled_from([b"0|1|2", b"0/0/1/3", b"|0|1", b"00|1", b"", b"x", b"1234567890", b"999999999|0", b"0" * 30])
    | st.lists(st.sampled_from([b"0", b"1", b"2", b"."]), min_size=1, max_size=14).map(b"/".join)
)
_NUMBERS = st.integers(0, 99).map(b"%d".__mod__)
_VALUES = (
    _NUMBERS
    | st.lists(_NUMBERS, min_size=1, max_size=3).map(b",".join)
    | st.sampled_from([b".", b"", b".,.", b"0.5", b"007", b"-3", b"99999999999999999999999", b"PASS"])
    | WORDS.map(lambda word: word.replace(b":", b""))
)


@st.composite
def cells(draw: st.DrawFn, format_text: bytes) -> bytes:
    """One cell, mostly with the fields FORMAT names, sometimes fewer or more."""
    keys = format_text.split(b":")
    fields = [draw(_CALLS) if key == b"GT" else draw(_VALUES) for key in keys]
    n_fields = draw(st.sampled_from([len(keys)] * 3 + [1, len(keys) + 1, max(1, len(keys) - 1)]))
    return b":".join([*fields, *[draw(_VALUES)] * (n_fields - len(keys))][:n_fields])


@st.composite
def records(draw: st.DrawFn, n_columns: int) -> bytes:
    """A line of `n_columns` columns."""
    fixed = (_CHROMS, _POSITIONS, _IDS, _BASES, _ALTS, _QUALS, _FILTERS, _INFOS)
    columns = [draw(column) for column in fixed]
    if draw(st.integers(0, 5)) == 0:
        columns[draw(st.integers(0, 7))] = draw(WORDS)
    if n_columns > 8:
        columns.append(draw(_FORMATS))
    n_samples = n_columns - 9
    if n_samples > 0:
        kind = draw(st.sampled_from(["plain", "plain", "mixed", "same"]))
        if kind == "plain" and columns[8] == b"GT":
            columns += draw(st.lists(_PHASED, min_size=n_samples, max_size=n_samples))
        elif kind == "same":
            columns += [draw(cells(columns[8]))] * n_samples
        else:
            columns += [draw(cells(columns[8])) for _ in range(n_samples)]
    return b"\t".join(columns)


_ODD_LINES = (
    st.sampled_from([b"", b"#", b"##late=1", b"#CHROM\tPOS", b"22\t1", b"\r", b"\t" * 8, b"\t" * 12])
    | st.binary(max_size=30).map(lambda line: line.replace(b"\n", b""))
)  # fmt: skip


@st.composite
def headers(draw: st.DrawFn) -> tuple[list[bytes], int]:
    """Lines of a header, and the columns that records should have."""
    lines = [b"##fileformat=VCFv4.2"] * draw(st.integers(0, 1))
    lines += draw(st.lists(st.sampled_from([b"##contig=<ID=22,length=51304566>", "##x=ä".encode(), b"#"]), max_size=2))
    n_columns = draw(st.sampled_from([8, 9, 10, 11, 13, 14, 18]))
    names = [b"CHROM", b"POS", b"ID", b"REF", b"ALT", b"QUAL", b"FILTER", b"INFO", b"FORMAT"]
    names += [b"S%d" % sample for sample in range(n_columns - 9)]
    if draw(st.integers(0, 9)):
        lines.append(b"#" + b"\t".join(names[:n_columns]))
    elif draw(st.booleans()):
        lines.append(b"#" + b"\t".join(names[:5]))
    return lines, n_columns


@st.composite
def vcf_texts(draw: st.DrawFn, max_records: int = 12) -> bytes:
    """A text that is a VCF, or nearly: any columns, calls, fields, line ends and lines out of place."""
    lines, n_columns = draw(headers())
    body = records(n_columns) if draw(st.integers(0, 3)) else records(n_columns) | _ODD_LINES
    lines = lines + draw(st.lists(body, max_size=max_records))
    ends = draw(st.sampled_from([[_ENDS[0]], [_ENDS[1]], _ENDS]))
    text = b"".join(line + draw(st.sampled_from(ends)) for line in lines)
    return text if draw(st.booleans()) else text.removesuffix(b"\n").removesuffix(b"\r")
