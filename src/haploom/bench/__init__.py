"""Side-by-side measurements, written down as one JSON line a measurement."""
