"""How odd people are beside the reference people, from what is measured of both.

Found in training, and anew for a file that lacks sites: fewer sites say less, and people vary more by them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from haploom.ancestry.label_mixtures import LabelMixtures
from haploom.ancestry.principal_coordinates import PrincipalCoordinates
from haploom.ancestry.typicality import Typicality, evidence_of_people


@dataclass(frozen=True, eq=False)
class Oddness:
    """typicality: of the reference people. Of haplotypes it is by likelihoods, and by kernel scores if `by_scores`; of
    unphased people by places on `coordinates` and by the misfit with `mixtures`, None of haplotypes.
    """

    typicality: Typicality
    by_scores: bool = False
    coordinates: PrincipalCoordinates | None = None
    mixtures: LabelMixtures | None = None

    @classmethod
    def of_haplotypes(cls, log_likelihoods: np.ndarray, scores: np.ndarray | None, labels: np.ndarray) -> "Oddness":
        """From those of the reference rows, each without its person: see `evidence_of_people`. labels: (n_people,)."""
        evidence = evidence_of_people(log_likelihoods, scores)
        return cls(Typicality.of_haplotypes(evidence, labels), by_scores=scores is not None)

    @classmethod
    def of_unphased(cls, distances: np.ndarray, start: np.ndarray) -> "Oddness":
        """distances: float64 (n, n), squared, between reference people; start: as in `Reference`."""
        n_labels = len(start) - 1
        axes = PrincipalCoordinates.fit(distances, n_labels - 1)  # as many as tell the labels' means apart
        labels = np.repeat(np.arange(n_labels), np.diff(start))
        typicality = Typicality.of_unphased(axes, distances, labels)
        return cls(typicality, coordinates=axes, mixtures=LabelMixtures.fit(distances, start))

    def of(self, log_likelihoods: np.ndarray, scores: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """float64 (n_people,), about 0 on the mean of the reference people, in deviations.

        log_likelihoods: float64 (n_rows, n_labels), of haplotypes with a column more, see `Reference`; scores: (n_rows,
        n_labels); distances: (n_rows, n_reference_rows).
        """
        if self.coordinates is None or self.mixtures is None:
            return self.typicality.oddness(evidence_of_people(log_likelihoods, scores if self.by_scores else None))
        return self.typicality.oddness(self.coordinates.place(distances), self.mixtures.misfit(distances))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a model file."""
        out = {f"typicality.{name}": array for name, array in self.typicality.to_arrays().items()}
        if self.coordinates is not None and self.mixtures is not None:
            out |= {"coordinates.mean": self.coordinates.mean, "coordinates.weights": self.coordinates.weights}
            out |= {f"mixtures.{name}": array for name, array in self.mixtures.to_arrays().items()}
        return out

    @classmethod
    def from_groups(cls, group: Callable[[str], Mapping[str, np.ndarray]], ploidy: int) -> "Oddness":
        """The inverse of `to_arrays`. group: the arrays of a prefix. Raises KeyError where arrays are absent."""
        typicality = Typicality.from_arrays(group("typicality"))
        if ploidy == 1:
            return cls(typicality, by_scores=True)
        axes = group("coordinates")
        coordinates = PrincipalCoordinates(axes["mean"], axes["weights"])
        return cls(typicality, coordinates=coordinates, mixtures=LabelMixtures.from_arrays(group("mixtures")))
