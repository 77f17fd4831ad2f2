"""What one worker of the service keeps in memory beside the index of a space: an estimate.

Together with the index it is within 6 % of what was measured after thousands of requests, of
10,000, 100,000 and a million tracks with 50 tags, see docs/performance.md. All but the first of it
are pages of files, which workers share and the system may take back.
"""

from recommender.index.recipes import index_bytes
from recommender.manifest import SegmentsRecord
from recommender.neighbours import LISTED
from recommender.slices import MOST_MAPPED_BYTES

# the interpreter, numpy, FAISS, and pages of the catalog
SERVICE_BYTES = 128 * 2**20
# an id, its place in the order of ids, numbers for artist and recording, its descriptors, its place
# on the map, and where its document is
_ROW_BYTES = 32 + 4 + 4 + 4 + 3 * 2 + 2 * 4 + 2 * 8
_TAG_BYTES = 2
_LIST_BYTES = 2 * 4 * LISTED
_DOCUMENT_BYTES = 400
# the row of a window and its place; the first window of a row and how many it has
_WINDOW_BYTES = 4 + 4
_SPAN_BYTES = 2 * 8


def bytes_beside(n_tracks: int, n_tags: int) -> int:
    """Bytes for so many tracks, when all of them have been asked for.

    Parameters
    ----------
    n_tracks
        Of the space.
    n_tags
        That its embedder predicts.
    """
    sliced = (_LIST_BYTES * n_tracks, _DOCUMENT_BYTES * n_tracks)
    # larger files are read, and not mapped
    mapped = sum(size for size in sliced if size <= MOST_MAPPED_BYTES)
    return SERVICE_BYTES + (_ROW_BYTES + _TAG_BYTES * n_tags) * n_tracks + mapped


def bytes_of_segments(record: SegmentsRecord | None, n_rows: int) -> int:
    """Bytes of the windows that are kept one by one, their index included; 0 for none.

    Parameters
    ----------
    record
        Of the generation.
    n_rows
        Its rows.
    """
    if record is None:
        return 0
    index = index_bytes(record.recipe.kind, record.n_windows, record.dimension)
    return index + _WINDOW_BYTES * record.n_windows + _SPAN_BYTES * n_rows
