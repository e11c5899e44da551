"""Population genetics in plain numbers: entropy, LD, spectra, principal components, breeding. No torch."""
