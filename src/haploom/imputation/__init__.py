"""Filling in alleles that are not known with what a model expects of them."""

from haploom.imputation.panels import ImputedPanel, impute_panel
from haploom.imputation.vcf import write_imputed

__all__ = ["ImputedPanel", "impute_panel", "write_imputed"]
