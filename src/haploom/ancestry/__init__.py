"""Which reference population a haplotype is most similar to."""

from haploom.ancestry.centroids import Classification, classify_panel, write_classification
from haploom.ancestry.comparison import MethodAccuracy, compare_classifiers

__all__ = ["Classification", "MethodAccuracy", "classify_panel", "compare_classifiers", "write_classification"]
