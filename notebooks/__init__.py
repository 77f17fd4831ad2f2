"""The evaluation notebook, and what its cells are made of: pictures, sentences, controls."""
