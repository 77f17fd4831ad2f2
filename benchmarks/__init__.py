"""Measurements: run them by hand, quote ratios of one run."""
