"""Whether the trusted classifier's probabilities hold for bred people, and what misleads it: relatives, or drift.

    python benchmarks/bred_calibration.py [SEED ...]

Table 4's people at the standard size. The classifier learns from bred people, who are each other's relatives, or from
their unrelated founders; both label bred test people, generation by generation, and unrelated test founders. Appends a
JSON line a seed and what was learned from to records/bred-calibration.jsonl. About 2 minutes a seed of one core.
"""

import json
import sys
from pathlib import Path

import numpy as np

from haploom.ancestry import classify_panel
from haploom.ancestry.trusted_training import expected_calibration_error, train_ancestry
from haploom.io.model_file import ModelFile
from haploom.panel import Panel, split_people
from haploom.provenance import package_versions
from haploom.report.reproduce.people import bred_people, founders_of
from haploom.report.reproduce.table4 import BRED, SIZES, UNRELATED

RECORDS = Path(__file__).parent / "records" / "bred-calibration.jsonl"


def main() -> None:
    protocol = SIZES["standard"].protocol
    for seed in [int(seed) for seed in sys.argv[1:]] or [1, 2, 3]:
        founders, level, origin = founders_of(None, None, None, protocol, seed, protocol.sites)
        people = bred_people(founders, level, origin, protocol, seed)
        split = split_people(founders.samples, founders.labels(level).tolist(), seed=seed)  # as `bred_people` does
        learned_from = {BRED: (people.train, people.split), UNRELATED: (founders, split)}
        for name, (panel, parts) in learned_from.items():
            model = train_ancestry(panel, parts, level, seed=seed)
            bred = people.tests[BRED]
            generations: dict[int, list[str]] = {}
            for sample in bred.samples:
                generations.setdefault(int(sample.split("_g")[1].split("_")[0]), []).append(sample)
            record = {
                "task": "bred-calibration", "seed": seed, "sites": protocol.sites, "learned_from": name,
                "left_out_accuracy": round(model.card.training["left_out_accuracy"], 4),
                "left_out_error": round(model.card.training["left_out_calibration_error"], 4),
                **{test: figures(model, people.tests[test], level) for test in (BRED, UNRELATED)},
                "generations": {
                    number: figures(model, bred.select_samples(names), level) for number, names in generations.items()
                },
                "versions": package_versions(),
            }  # fmt: skip
            with RECORDS.open("a") as file:
                file.write(json.dumps(record) + "\n")
            print(seed, name, record[BRED], record[UNRELATED], flush=True)


def figures(model: ModelFile, panel: Panel, level: str) -> dict[str, float]:
    """rows, accuracy, mean confidence, expected calibration error."""
    probabilities = classify_panel(panel, model).scores
    right = np.array(model.labels)[probabilities.argmax(axis=1)] == panel.labels(level, per="haplotype")
    return {
        "rows": len(right), "accuracy": round(float(right.mean()), 4),
        "confidence": round(float(probabilities.max(axis=1).mean()), 4),
        "error": round(expected_calibration_error(probabilities, right), 4),
    }  # fmt: skip


if __name__ == "__main__":
    main()
