"""One short loop that trains every model, fed from bit-packed panels."""

import haploom.models  # noqa: F401  (says what to install where torch is absent)
