"""Factory strings of the kinds whose make-up depends on the catalog.

https://github.com/facebookresearch/faiss/wiki/The-index-factory
"""

LINKS = 16
# FAISS warns of centroids that are means of fewer
ROWS_PER_CENTROID = 39


def n_lists(n_vectors: int) -> int:
    """Number of lists of an inverted file: the power of two up to 4 sqrt(n) that can be trained.

    4 to 16 sqrt(n) is what FAISS advises:
    https://github.com/facebookresearch/faiss/wiki/Guidelines-to-choose-an-index
    """
    most = min(4 * n_vectors**0.5, n_vectors / ROWS_PER_CENTROID)
    return 1 << max(0, int(most).bit_length() - 1)


def n_parts(dimension: int) -> int:
    """Number of parts that product quantisation codes in 4 bits each: two dimensions a part."""
    divisors = (m for m in range(dimension // 2, dimension // 4, -1) if dimension % m == 0)
    return next(divisors, dimension)


def pq(n_vectors: int, dimension: int) -> str:
    """Lists of codes of product quantisation."""
    return f"IVF{n_lists(n_vectors)},PQ{n_parts(dimension)}x4fs"


def opq(n_vectors: int, dimension: int) -> str:
    """The same of vectors that a learned rotation prepares."""
    return f"OPQ{n_parts(dimension)}_{dimension},{pq(n_vectors, dimension)}"


def rabitq(n_vectors: int, dimension: int) -> str:
    """Lists of codes of one bit a dimension."""
    # its codes are of rotated vectors: J. Gao and C. Long, RaBitQ, SIGMOD 2024
    return f"RR{dimension},IVF{n_lists(n_vectors)},RaBitQ"
