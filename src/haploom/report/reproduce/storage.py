"""Tables 1, 2 and S3: what people cost to store."""

from pathlib import Path

from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.tables import measure_table
from haploom.report.reproduce.written import write_table


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Measure the table's rows and write them."""
    return write_table(measure_table(request, folder), request, folder)
