"""Which reference population a haplotype is most similar to."""

from haploom.ancestry.classification import Classification, write_classification
from haploom.ancestry.classify import classify_panel
from haploom.ancestry.comparison import MethodAccuracy, compare_classifiers
from haploom.ancestry.known_labels import check_label_level, known_labels
from haploom.ancestry.many_people import classify_in_parts

__all__ = [
    "Classification",
    "MethodAccuracy",
    "check_label_level",
    "classify_in_parts",
    "classify_panel",
    "compare_classifiers",
    "known_labels",
    "write_classification",
]
