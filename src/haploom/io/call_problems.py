"""What can keep a call or a site out of a panel, and what to do about it, in any format."""

_REMEDY = (
    "haplotypes need phased calls without gaps: phase and impute with SHAPEIT5 or Beagle, "
    "or keep dosages without phase with `haploom convert --unphased`"
)
MISSING_CALL = f"is missing or half missing; {_REMEDY}"
UNPHASED_CALL = f"is unphased; {_REMEDY}"
HAPLOID_CALL = "is haploid: wanted diploid people (for chrX, leave men out with -S, or see `bcftools +fixploidy`)"
SEVERAL_ALTERNATES = (
    "has more than two alleles: split such sites with `bcftools norm -m-`, or leave them out with `bcftools view -M2`"
)
