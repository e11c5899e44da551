"""The demo's words: every one that says who wins is chosen by the figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def ancestry_verdict(results: Mapping[str, Any]) -> str:
    """Who labels best, without a capital and a full stop."""
    rows = next(iter(results["classification"].values()))
    ranked = sorted(rows, key=lambda row: -row["balanced_accuracy"]["value"])
    best, vae = ranked[0], rows[0]
    if best is vae:
        return f"on test people the VAE's labels are right most often ({vae['balanced_accuracy']['value']:.2f})"
    return (
        f"on test people {_plainly(best['method'])} labels best ({best['balanced_accuracy']['value']:.2f} balanced "
        f"accuracy), the VAE comes {_ordinal(ranked.index(vae) + 1)} of {len(ranked)} "
        f"({vae['balanced_accuracy']['value']:.2f})"
    )


def ancestry_detail(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the VAE's interval is apart from."""
    vae = rows[0]["balanced_accuracy"]
    said = []
    for word, holds in (
        ("above", lambda other: vae["low"] > other["high"]),
        ("below", lambda other: vae["high"] < other["low"]),
        ("not clearly apart from", lambda other: vae["low"] <= other["high"] and vae["high"] >= other["low"]),
    ):
        names = [_plainly(row["method"]) for row in rows[1:] if holds(row["balanced_accuracy"])]
        if names:
            said.append(f"{word} {listed(names)}")
    return f"By its interval the VAE is {'; '.join(said)}."


def visitors_verdict(found: Mapping[str, Any]) -> str:
    """Whether the classifier knew those it could know, and said so of those it could not."""
    right, unknown = found["right"]["all sites"], found["unknown_known"]["all sites"]
    known = (
        f"The trusted classifier labelled {right:.0%} of the haplotypes of test people right and {unknown:.0%} unknown."
    )
    if found["stranger"] is None:
        return known
    caught = found["unknown_strangers"]["all sites"]
    how = "all" if caught == 1 else "most" if caught >= 0.5 else "few" if caught > 0 else "none"
    return f"{known} It had never seen {found['stranger']}: of {how} of them ({caught:.0%}) it said unknown."


def half_verdict(found: Mapping[str, Any]) -> str:
    """What half of the sites missing does to the same people."""
    right, unknown, likeliest = (
        found[name]["every other site"] for name in ("right", "unknown_known", "likeliest_right")
    )
    more = unknown - found["unknown_known"]["all sites"]
    caution = (
        "it becomes more cautious than it need be"
        if more > 0.05 and likeliest > 0.9
        else "it becomes more cautious"
        if more > 0.05
        else "it is hardly more cautious"
    )
    return (
        f"With every other site missing {caution}: of the same test people {right:.0%} of the haplotypes are labelled "
        f"right and {unknown:.0%} unknown, while the most similar population is the right one for {likeliest:.0%}."
    )


def painting_verdict(found: Mapping[str, Any]) -> str:
    """How much of admixed chromosomes was painted right."""
    if not found:
        return ""
    gain = "better" if found["accuracy"] > found["guess"] else "no better"
    return (
        f"Of admixed chromosomes {found['accuracy']:.0%} were painted with the right population, {gain} than one "
        f"colour for all ({found['guess']:.0%})."
    )


def storage_verdict(results: Mapping[str, Any]) -> str:
    """Whether a model pays for itself."""
    rows = {row["codec"]: row for row in results["storage"]["archives"]}
    alone = rows["vae+rle"]["genotype_bytes"]
    vae, statistical, auto = (bytes_needed(rows[codec]) for codec in ("vae+rle", "statistical", "auto"))
    choice = (
        f"auto used the VAE ({auto:,} bytes of genotypes and model)."
        if rows["auto"]["model_bytes"]
        else f"auto left the VAE out ({auto:,} bytes of genotypes)."
    )
    if vae < statistical:
        return (
            f"The VAE stored the genotypes in {vae / statistical:.0%} of the bytes of the statistical codec, its model "
            f"included; {choice}"
        )
    return (
        f"For storing, the VAE loses: {_times(vae / statistical)} the bytes of the statistical codec with its model, "
        f"{_times(alone / statistical)} without; {choice}"
    )


def reference_verdict(found: Mapping[str, Any]) -> str:
    """What a reference archive saves."""
    ratio = found["beside_bytes"] / found["alone_bytes"]
    saves = f"{ratio:.0%} of the bytes" if ratio < 1 else f"{_times(ratio)} the bytes: it does not help here"
    return (
        f"Beside an archive of the training people, which whoever reads them must have ({found['reference_bytes']:,} "
        f"bytes), the {found['people']:,} test people take {saves} ({found['beside_bytes']:,} of genotypes; alone "
        f"{found['alone_bytes']:,})."
    )


def bytes_needed(row: Mapping[str, Any]) -> int:
    """All that reading the genotypes takes: their own bytes and the model's."""
    return row["genotype_bytes"] + row["model_bytes"]


def audit_verdict(audits: Mapping[str, Any]) -> str:
    """Who passes, who fails, and at what."""
    said = []
    for source, found in audits.items():
        if found is None:
            said.append(f"people of {_the(source)} could not be audited")
            continue
        privacy = found["failed_privacy"]
        others = len(found["failed"]) - privacy
        if found["passed"]:
            said.append(f"people of {_the(source)} pass all {found['of']} measures")
        else:
            parts = [f"{n} of {what}" for n, what in ((privacy, "privacy"), (others, "likeness or use")) if n]
            said.append(
                f"people of {_the(source)} fail {len(found['failed'])} of {found['of']} ({' and '.join(parts)})"
            )
    return f"{sentence('; '.join(said))}"


def synthesis_verdict(results: Mapping[str, Any]) -> str:
    """How varied the made-up people are."""
    rows = results["synthesis"]
    ratio = np.mean([row["entropy_bits"] for row in rows]) / np.mean([row["entropy_bits_real"] for row in rows])
    how = "as diverse as" if abs(ratio - 1) < 0.05 else ("less diverse than" if ratio < 1 else "more diverse than")
    return f"People made by the autoregressive model are {how} real ones ({ratio:.0%} of the entropy)."


def frequency_verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """How near their allele frequencies are."""
    pairs = [(row["frequency_correlation"], row["frequency_correlation_real"]) for row in rows]
    known = [(made_up, real) for made_up, real in pairs if made_up is not None and real is not None]
    if not known:
        return ""
    behind = sum(made_up < real for made_up, real in known)
    return (
        "Their allele frequencies are further from those of test people than the training people's are in "
        f"{behind} of {len(known)} populations."
    )


def sentence(words: str) -> str:
    """With a capital and a full stop."""
    return f"{words[0].upper()}{words[1:]}."


def listed(names: Sequence[str]) -> str:
    """As one says it."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _the(source: str) -> str:
    return source if source.startswith("mosaics") else f"the {source}"


def _plainly(method: str) -> str:
    """A method's name where it stands among words: without the comma."""
    return method.replace(", ", " with ")


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 9.95 else f"{ratio:,.0f} times"


def _ordinal(place: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(place, f"{place}th")
