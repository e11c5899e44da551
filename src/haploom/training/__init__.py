"""One short loop that trains every model, fed from bit-packed panels."""
