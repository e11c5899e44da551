"""The paper's tables again, on data anyone has: rows of figures, each measured once and kept, then written down."""
