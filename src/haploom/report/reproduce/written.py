"""A table's rows as text, TSV, HTML and a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from haploom.io.output import text_output
from haploom.report import figures
from haploom.report.page import Column, Figure, Section, Table
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.pages import write_result
from haploom.report.reproduce.rows import Row
from haploom.report.reproduce.storage_claims import claims_of
from haploom.report.reproduce.tables import protocol_of
from haploom.report.result_folder import cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = (
    "data", "population", "sites", "haplotypes", "method", "latents", "counted", "bytes", "model_bytes",
    "factor_1_byte", "factor_1_bit", "factor_1_bit_with_model", "bits_per_allele", "encode_s", "decode_s",
)  # fmt: skip

_WORDS = """\
Factors are against one bit an allele, model bytes left out, as the paper counts; {tsv} also has factors against
one byte an allele and with the model, sizes and seconds. "as the paper counts" is 16 bits a run of the residual and 32
bits a latent; every other row is bytes that were written and read back. Bred people are offspring of the founders held
out from training, unrelated ones those founders themselves.

Founders: {origin}. {protocol}"""


def with_factors(row: Row) -> Row:
    """The row with its factors."""
    alleles = row["sites"] * row["haplotypes"]
    n_bytes = max(row["bytes"], 1)
    return row | {
        "factor_1_byte": alleles / n_bytes,
        "factor_1_bit": alleles / 8 / n_bytes,
        "factor_1_bit_with_model": alleles / 8 / (n_bytes + row["model_bytes"]),
        "bits_per_allele": 8 * n_bytes / alleles,
    }


def write_table(rows: Sequence[Row], wanted: Request, folder: Path) -> list[Path]:
    """TABLE.txt, .html, .claims.json, .tsv and .svg in the folder; returns their paths."""
    rows = [with_factors(row) for row in rows]
    name = wanted.name
    tsv, svg = folder / f"{name}.tsv", folder / f"{name}.svg"
    with text_output(tsv, True) as file:
        file.write("\t".join(COLUMNS) + "\n")
        for row in rows:
            file.write("\t".join("NA" if row[key] is None else cell(row[key]) for key in COLUMNS) + "\n")
    tables = [wide_table(rows, data) for data in dict.fromkeys(row["data"] for row in rows)]
    picture = figures.svg(lambda ax: draw(ax, rows))
    svg.write_bytes(picture)
    shown = Figure(picture, "Factors against one bit an allele, means over columns.", "Factors of every method.")
    protocol = ", ".join(f"{key} {value}" for key, value in vars(protocol_of(wanted)).items())
    text = _WORDS.format(tsv=tsv.name, origin=wanted.origin, protocol=f"Protocol: {protocol}.")
    sections = [Section("Factors", text, [shown], tables)]
    return [*write_result(wanted, folder, sections, claims_of(name, rows)), tsv, svg]


def wide_table(rows: Sequence[Row], data: str) -> Table:
    """A row a method and q; a column a population, or a number of sites."""
    here = [row for row in rows if row["data"] == data]
    by_population = len({row["population"] for row in here}) > 1
    place = "population" if by_population else "sites"
    columns = list(dict.fromkeys(row[place] for row in here))
    values: dict[tuple[str, int | None], dict[object, float]] = {}
    for row in here:
        values.setdefault((row["method"], row["latents"]), {})[row[place]] = row["factor_1_bit"]
    cells = [
        [method, None if q is None else str(q), *(of.get(column) for column in columns)]
        for (method, q), of in sorted(values.items(), key=lambda pair: (pair[0][0], pair[0][1] or 0))
    ]
    headings = [str(column) if by_population else f"{column:,} sites" for column in columns]
    return Table(
        [Column("method"), Column("q"), *(Column(heading, ".2f") for heading in headings)], cells,
        f"{data}: factors against 1 bit an allele",
    )  # fmt: skip


def draw(ax: "Axes", rows: Sequence[Row]) -> None:
    """A bar a method: its largest mean factor over q; bred and unrelated people beside each other."""
    data = list(dict.fromkeys(row["data"] for row in rows))
    best: dict[str, dict[str, float]] = {}
    for name in data:
        of: dict[tuple[str, object], list[float]] = {}
        for row in rows:
            if row["data"] == name:
                of.setdefault((row["method"], row["latents"]), []).append(row["factor_1_bit"])
        for (method, _), factors in of.items():
            mean = sum(factors) / len(factors)
            best.setdefault(method, {})[name] = max(mean, best.get(method, {}).get(name, 0.0))
    methods = sorted(best, key=lambda method: max(best[method].values()))
    height = 0.8 / len(data)
    for i, name in enumerate(data):
        places = [j + (i - (len(data) - 1) / 2) * height for j in range(len(methods))]
        ax.barh(places, [best[method].get(name, 0.0) for method in methods], height, label=name)
    ax.set_yticks(range(len(methods)), methods, fontsize=6)
    ax.axvline(1, color=ax.spines["bottom"].get_edgecolor(), linewidth=0.8)
    ax.set(xlabel="Factor against 1 bit an allele, best q", xscale="log")
    ax.xaxis.set_major_formatter("{x:g}")  # text, because pages show no mathematics
    ax.legend()
