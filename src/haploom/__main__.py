"""`python -m haploom` is `haploom`."""

from haploom.cli import main

main()
