"""The text of a VCF as parts that code well: fixed columns and cells beside the bits of the genotypes."""
