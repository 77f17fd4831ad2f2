"""Measures a catalog, its index and its recommendations: what `python -m indexer evaluate` runs."""
