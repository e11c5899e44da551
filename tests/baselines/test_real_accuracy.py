"""Baselines on real haplotypes reach what simple methods were measured to reach there by other code."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.baselines.accuracy import accuracy
from haploom.baselines.centroid import NearestCentroid
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.io import read_panel, read_populations
from haploom.panel import PARTS, Panel, split_people
from haploom.popgen.pca import PCA

LEVEL = "superpopulation"


@dataclass
class Cohort:
    """People split by `split_people`, at the sites common in the training part."""

    parts: dict[str, Panel]

    @classmethod
    def read(cls, folder: Path, name: str) -> "Cohort":
        panel = read_panel(folder / name)
        panel = panel.with_populations(read_populations(folder / "populations.tsv").columns_for(panel.samples))
        split = split_people(panel.samples, panel.labels(LEVEL).tolist())
        parts = {part: panel.select_samples(split.samples(part, panel.samples)) for part in PARTS}
        common = parts["train"].minor_allele_frequencies() > 0.01
        return cls({part: rows.select_sites(common) for part, rows in parts.items()})

    def labels(self, part: str) -> np.ndarray:
        return self.parts[part].labels(LEVEL, per="haplotype")

    def plain_accuracy(self, predicted: np.ndarray) -> float:
        people = np.repeat(self.parts["test"].samples, 2)
        return accuracy(self.labels("test"), predicted, people).plain.value


def test_pca_centroid__on_a_megabase_of_chr22(real_data):
    # 0.43 and 0.66 were measured on another split; 500 test haplotypes of 250 people, standard error about 0.025.
    cohort = Cohort.read(real_data, "chr22-dense.vcf.gz")
    pca = PCA(64).fit(cohort.parts["train"])
    train, test = pca.transform(cohort.parts["train"]), pca.transform(cohort.parts["test"])
    for n_axes, measured in ((2, 0.43), (64, 0.66)):
        centroids = NearestCentroid().fit(train[:, :n_axes], cohort.labels("train"))
        assert abs(cohort.plain_accuracy(centroids.predict(test[:, :n_axes])) - measured) < 0.05


def test_logistic__on_all_of_chr22(real_data):
    # 0.945 was measured on another split; 216 test haplotypes of 108 people, standard error about 0.018.
    cohort = Cohort.read(real_data, "chr22-whole.vcf.gz")
    model = SnpLogisticRegression(penalties=(0.03,))
    model.fit(cohort.parts["train"], cohort.labels("train"), cohort.parts["validation"], cohort.labels("validation"))
    assert abs(cohort.plain_accuracy(model.predict(cohort.parts["test"])) - 0.945) < 0.045
