"""Generators side by side: how like held-out people their haplotypes are, and what they give away of training people.

    python benchmarks/generators.py DATA_FOLDER [METHOD ...] [--models FOLDER] [--threads N]

chr22-dense, people split 72/8/20 by person, stratified by superpopulation, seed 1; sites above 1 % minor-allele
frequency among the 80 % that are learned from. Each method makes as many haplotypes of each superpopulation as there
are held out (and for train-synthetic-test-real, as many as there are training people). `real` are training people that
are taken away from the donors: what a perfect generator would score. Trained models are kept in --models. Appends one
JSON line a method to records/generators.jsonl.

adversarial_accuracy: of nearest neighbours by differences, against held-out people (Yelmen et al. 2021): 0.5 is best,
above it they are told apart, below it copied; its halves are of held-out and of made-up haplotypes. privacy_loss: it,
minus the mean of the same against groups of as many training people. frequency_r: over sites, all together;
frequency_r_least: of the worst superpopulation. ld_error: mean absolute difference of mean r^2 by bin of distance up
to 500 kb, mean over
superpopulations; ld_error_borders: of pairs up to 32 sites apart on two sides of a border of the autoregressive
model's windows, by distance in sites. two_sample: accuracy of logistic regression on 20 principal components in
telling made-up from held-out, 5-fold. tstr: accuracy on held-out people of logistic regression trained on made-up
people. copies: made-up haplotypes that are some training haplotype. longest_run: sites, the longest shared by any
made-up haplotype with a training haplotype; longest_run_limit: the 99.9th percentile of held-out people's.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.bench.records import append_records
from haploom.io.model_file import ModelFile, read_model
from haploom.kernels import kernel
from haploom.popgen.linkage import allele_correlation, distance_scales, ld_decay
from haploom.popgen.pca import PCA
from haploom.popgen.site_bits import SiteBits
from haploom.provenance import package_versions
from haploom.synthesis import MosaicSettings, Source, model_source, people_source, synthesize

RECORDS = Path(__file__).parent / "records" / "generators.jsonl"
LEVEL = "superpopulation"
KINDS = {
    "autoregressive": ("autoregressive", {"n_labels": 5}), "autoregressive, context 512": (
        "autoregressive", {"n_labels": 5, "context": 512}), "cvae": ("cvae", {}),
}  # fmt: skip
METHODS = [
    "real", "autoregressive", "autoregressive, context 512", "cvae", "cvae, sampled", "mosaic", "copying",
    "independent",
]  # fmt: skip
BORDER, REACH, MIN_MAF = 32, 32, 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("methods", nargs="*", default=METHODS)
    parser.add_argument("--models", type=Path, default=Path("generators"))
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    from haploom.training.threads import use_threads

    use_threads(arguments.threads)
    arguments.models.mkdir(exist_ok=True)
    people = People(arguments.folder)
    for method in arguments.methods:
        start = time.perf_counter()
        made, donors, many = people.made(method, arguments.models)
        drawn = time.perf_counter()
        found = people.compared(made, donors, many)
        record = {
            "benchmark": "generators", "method": method, "sites": people.panel.n_sites,
            "haplotypes": made.n_haplotypes, **{name: round(value, 4) for name, value in found.items()},
            "seconds": round(drawn - start, 1), "threads": arguments.threads, "versions": package_versions(),
        }  # fmt: skip
        append_records(RECORDS, [record])
        print(record, flush=True)


class People:
    """panel: common sites. learned: the 80 %; train and validation are their parts. test: held out."""

    def __init__(self, folder: Path) -> None:
        panel = hl.read_panel(folder / "chr22-dense.vcf.gz", hl.Selection(populations=folder / "populations.tsv"))
        self.split = hl.split_people(panel.samples, panel.labels(LEVEL).tolist(), fractions=(0.72, 0.08, 0.2), seed=1)
        names = [name for name in panel.samples if self.split.part_of[name] != "test"]
        learned = panel.select_samples(names)
        self.panel = panel.select_sites(np.flatnonzero(learned.minor_allele_frequencies() > 0.01))
        self.learned = self.panel.select_samples(names)
        self.validation, self.test = (
            self.panel.select_samples(self.split.samples(part, panel.samples)) for part in ("validation", "test")
        )
        self.runs: dict[hl.Panel, np.ndarray] = {}
        self.labels = sorted(set(labels_of(self.test).tolist()))

    def made(self, method: str, models: Path) -> tuple[hl.Panel, hl.Panel, hl.Panel]:
        """As many as held out, whom they are compared with as donors, and as many as are learned from."""
        if method == "real":
            wanted = {label: int((self.test.labels(LEVEL) == label).sum()) for label in self.labels}
            rng = np.random.default_rng(1)
            of = self.learned.labels(LEVEL)
            taken = {
                self.learned.samples[i]
                for label, n in wanted.items()
                for i in rng.permutation(np.flatnonzero(of == label))[:n]
            }
            rest = [name for name in self.learned.samples if name not in taken]
            return self.learned.select_samples(sorted(taken)), self.learned.select_samples(rest), self.learned
        source = self.source(method, models)
        made, many = (self.counted(source, like) for like in (self.test, self.learned))
        return made, self.learned, many

    def source(self, method: str, models: Path) -> Source:
        if method in ("mosaic", "copying", "independent"):
            return people_source(self.learned, LEVEL, method, MosaicSettings())
        kind, shape = KINDS[method.removesuffix(", sampled")]
        path = models / f"{method.removesuffix(', sampled').replace(', ', '-').replace(' ', '-')}.model"
        if not path.exists():
            trained = hl.train_model(self.panel, self.split, LEVEL, kind=kind, shape=shape, device="cpu")
            hl.write_model(trained.model, path)
        model: ModelFile = read_model(path)
        return model_source(model, sampled=method.endswith("sampled"))

    def counted(self, source: Source, like: hl.Panel) -> hl.Panel:
        """As many people of each label as `like` has."""
        labels = like.labels(LEVEL)
        counts = {label: int((labels == label).sum()) for label in self.labels}
        people = synthesize(source, self.labels, max(counts.values()), seed=1)
        of = people.labels(LEVEL)
        return people.select_samples(
            [people.samples[i] for label, n in counts.items() for i in np.flatnonzero(of == label)[:n]]
        )

    def runs_held_out(self, donors: hl.Panel) -> np.ndarray:
        """Longest runs that held-out people share with donors: nearly always the same donors."""
        if donors not in self.runs:
            self.runs[donors] = longest_runs(self.test.alleles(), donors.alleles())
        return self.runs[donors]

    def compared(self, made: hl.Panel, donors: hl.Panel, many: hl.Panel) -> dict[str, float]:
        a, test, train = made.alleles(), self.test.alleles(), donors.alleles()
        # One draw of training people gives or takes 0.01: all of them take part, in groups as large as the held-out.
        order = np.random.default_rng(1).permutation(len(train))[: len(train) // len(test) * len(test)]
        groups = order.reshape(-1, len(test))
        halves = adversarial_accuracy(test, a)
        against_train = [adversarial_accuracy(train[group], a) for group in groups]
        of, of_test = labels_of(made), labels_of(self.test)
        frequency = [np.corrcoef(a[of == x].mean(0), test[of_test == x].mean(0))[0, 1] for x in self.labels]
        linkage, held_out = ([linked(panel, labels_of(panel) == x) for x in self.labels] for panel in (made, self.test))
        errors = [np.mean([np.nanmean(np.abs(m[k] - t[k])) for m, t in zip(linkage, held_out)]) for k in (0, 1)]
        runs, runs_test = longest_runs(a, train), self.runs_held_out(donors)
        classifier = SnpLogisticRegression().fit(many, labels_of(many), self.validation, labels_of(self.validation))
        return {
            "adversarial_accuracy": float(np.mean(halves)),
            "of_held_out": halves[0], "of_made_up": halves[1],
            "privacy_loss": float(np.mean(halves) - np.mean(against_train)),
            "frequency_r": float(np.corrcoef(a.mean(0), test.mean(0))[0, 1]),
            "frequency_r_least": float(min(frequency)),
            "ld_error": float(errors[0]), "ld_error_borders": float(errors[1]),
            "two_sample": two_sample(donors, made, self.test),
            "tstr": float((classifier.predict(self.test) == of_test).mean()),
            "copies": int((differences(a, train).min(axis=1) == 0).sum()),
            "longest_run": int(runs.max()), "longest_run_limit": float(np.quantile(runs_test, 0.999)),
            "median_run": float(np.median(runs)), "median_run_held_out": float(np.median(runs_test)),
        }  # fmt: skip


def labels_of(panel: hl.Panel) -> np.ndarray:
    return panel.labels(LEVEL, per="haplotype")


def differences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Differences between every pair of rows; whole numbers below 2^24, so exact in float32."""
    x, y = a.astype(np.float32), b.astype(np.float32)
    return x.sum(axis=1)[:, None] + y.sum(axis=1) - 2 * x @ y.T


def adversarial_accuracy(real: np.ndarray, made: np.ndarray) -> tuple[float, float]:
    """Share of each whose nearest is among its own; ties count half."""
    own, other, across = differences(real, real), differences(made, made), differences(real, made)
    np.fill_diagonal(own, np.inf)
    np.fill_diagonal(other, np.inf)

    def nearer(to_other: np.ndarray, to_own: np.ndarray) -> float:
        return float((to_other > to_own).mean() + (to_other == to_own).mean() / 2)

    return nearer(across.min(axis=1), own.min(axis=1)), nearer(across.min(axis=0), other.min(axis=1))


def linked(panel: hl.Panel, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean r^2 by bins of distance, and across window borders by distance in sites."""
    sites = SiteBits.of(panel, np.flatnonzero(rows))
    decay = ld_decay(sites, {"bp": distance_scales(panel.variants)["bp"]}, MIN_MAF)["bp"].mean_r2
    common = sites.minor_allele_frequencies() > MIN_MAF
    total, pairs = np.zeros(REACH + 1), np.zeros(REACH + 1)
    for border in range(BORDER, panel.n_sites, BORDER):
        for site in np.flatnonzero(common[border - REACH // 2 : border]) + border - REACH // 2:
            others = np.arange(border, min(panel.n_sites, site + REACH + 1))
            others = others[common[others]]
            r = allele_correlation(sites.shared_with(site, others), sites.ones[site], sites.ones[others],
                                   sites.n_haplotypes)  # fmt: skip
            np.add.at(total, others - site, r * r)
            np.add.at(pairs, others - site, 1)
    return decay, np.divide(total, pairs, out=np.full(REACH + 1, np.nan), where=pairs > 0)


def two_sample(train: hl.Panel, made: hl.Panel, test: hl.Panel) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    pca = PCA(20).fit(train)
    z = np.concatenate([pca.transform(made), pca.transform(test)])
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    truth = np.repeat([0, 1], [made.n_haplotypes, test.n_haplotypes])
    order = np.random.default_rng(1).permutation(len(z))
    return float(cross_val_score(LogisticRegression(max_iter=2000), z[order], truth[order], cv=5).mean())


@kernel
def _longest_runs(a: np.ndarray, b: np.ndarray, longest: np.ndarray) -> None:
    for i in range(a.shape[0]):
        best = 0
        for j in range(b.shape[0]):
            run = 0
            for k in range(a.shape[1]):
                run = run + 1 if a[i, k] == b[j, k] else 0
                best = max(best, run)
        longest[i] = best


def longest_runs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each row of a, the longest stretch it shares with a row of b, in sites."""
    longest = np.zeros(len(a), dtype=np.int64)
    _longest_runs(a, b, longest)
    return longest


if __name__ == "__main__":
    main()
