"""Population genetics in plain numbers: entropy, principal components, breeding. NumPy only."""
