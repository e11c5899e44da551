"""What to do about a measure outside its gate, for the page, the terminal and JSON."""

from collections.abc import Mapping

_FREQUENCIES = (
    "Alleles that a decoder decides make rare ones rarer: draw them (synthesize --sampled), or use a model that "
    "draws every allele (train --kind autoregressive --by-label). If it does so already, train it longer, or on "
    "more people."
)
_POPULATIONS = (
    "Made-up people are not where their population is: check that the labels are those of the real people, leave "
    "--latents prior out, and train on more people of that population."
)
_LINKAGE = (
    "Too little linkage comes of alleles drawn apart (--sampled, --method independent) or of donors that "
    "change too often (lower --switches-per-cm), too much of decided alleles: the page's plot of LD says which. "
    "A model that draws allele after allele (train --kind autoregressive --by-label) keeps linkage."
)
_TOLD_APART = (
    "Something tells made-up people from real ones: mend the other measures that fail, and look at the "
    "principal components. If none fails, train longer or on more people."
)
_COPIES = (
    "Do not share these people. Where whole haplotypes of training people are in them, use another method than "
    "copying; of a network, train on more people, for fewer epochs (--epochs), and with a validation part, so "
    "that training stops when it begins to learn them by heart. Taking the copies out by hand leaves the near "
    "ones."
)
_RUNS = (
    "Do not share these people: long stretches of training people's haplotypes are in them. Of a mosaic, raise "
    "--switches-per-cm (and see what it does to LD); of a network, train on more people or for fewer epochs."
)
_MEMBERSHIP = (
    "Do not share these people: who holds a person's genotypes can tell that the person was learned from. Of a "
    "mosaic, raise --switches-per-cm; of a network, train on more people or for fewer epochs, with a validation part. "
    "Held-out people of another making (calling, phasing) or with relatives alone set the two apart: choose others."
)

ADVICE: Mapping[str, str] = {
    "frequency_correlation": _FREQUENCIES,
    "frequency_error": _FREQUENCIES,
    "spectrum_distance": _FREQUENCIES,
    "entropy_error": _FREQUENCIES,
    "heterozygosity_error": _FREQUENCIES,
    "fst": _POPULATIONS,
    "ld_decay_error": _LINKAGE,
    "ld_decay_error_borders": (
        "Linkage breaks at the borders of windows: use a model whose windows see those before them (train --kind "
        "autoregressive), and give the audit that model's --window."
    ),
    "ld_matrix_error": _LINKAGE,
    "mutual_information_error": _LINKAGE,
    "three_point_correlation": _LINKAGE,
    "pca_distance": _POPULATIONS,
    "pairwise_distance": (
        "Made-up people are more, or less, alike than real ones are. Below: the generator makes few kinds of "
        "haplotypes; train it on more people. Above: alleles are drawn apart from each other."
    ),
    "two_sample_logistic": _TOLD_APART,
    "two_sample_forest": _TOLD_APART,
    "adversarial_accuracy": (
        "Above the gate made-up people are unlike real ones (see LD and frequencies); below it they are nearer to "
        "held-out people than these are to each other, as copies of relatives are."
    ),
    "code_length": "Below the gate haplotypes are too regular, above it too random: see LD.",
    "utility_accuracy": (
        "What tells populations apart is lost: see Fst, principal components and frequencies by population; leave "
        "--latents prior out, or train with labels (--by-label)."
    ),
    "privacy_loss": _COPIES,
    "exact_copies": _COPIES,
    "near_copies": _COPIES,
    "nearest_training": _COPIES,
    "code_length_beside": _COPIES,
    "long_shared_runs": _RUNS,
    "membership_distance": _MEMBERSHIP,
    "membership_run": _MEMBERSHIP,
    "worst_membership_distance": _MEMBERSHIP,
    "worst_membership_run": _MEMBERSHIP,
    "rare_allele_leakage": (
        "Rare alleles name people: leave the rare sites out before training (--maf), or train on more people."
    ),
}
