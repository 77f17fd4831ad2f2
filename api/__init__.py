"""The HTTP service over a published generation."""
