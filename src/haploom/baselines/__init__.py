"""Classical methods every neural result stands beside."""
