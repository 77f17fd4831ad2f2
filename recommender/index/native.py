"""Indexes of FAISS: made, trained, filled, written and read."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from recommender.arrays import FloatArray
from recommender.errors import GenerationError, InvalidParameterError, StorageError
from recommender.index.binding import faiss
from recommender.index.methods import ListMethod, Method, method_of

# candidates that are kept while a graph is built: more find better links and take longer
EF_CONSTRUCTION = 100
_HALF_BITS = faiss.ScalarQuantizer.QT_fp16
_LIST_TRAINING_ROWS = 64
_OTHER_TRAINING_ROWS = 65_536
_ROTATION_STEPS = 8
_ROTATION_ROWS = 8_192
_CODE_BITS = 4
_SEED = 0
# threads wait for one another longer than fewer vectors take
_LEAST_TO_SHARE = 10_000


def check_factory(text: str, dimension: int) -> None:
    """Check that FAISS understands a factory string.

    Raises
    ------
    InvalidParameterError
        It does not, for vectors of this dimension and inner products.
    """
    numbers = "".join(c if c.isdigit() else " " for c in text).split()
    if any(len(number) > 7 for number in numbers):
        raise InvalidParameterError(f"index={text} holds a number beyond any use")
    try:
        index = _made(text, dimension)
    except (RuntimeError, MemoryError) as error:
        raise InvalidParameterError(
            f"index={text} is no kind of index, and no factory string that FAISS understands "
            f"for {dimension} dimensions and inner products"
        ) from error
    if isinstance(index, faiss.IndexRefine | faiss.IndexIDMap):
        raise InvalidParameterError(
            f"index={text} numbers or ranks rows itself, which is done here; leave that part out"
        )


def _made(factory: str, dimension: int) -> Any:
    index: faiss.Index = faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
    return index


def build(factory: str, vectors: FloatArray) -> Any:
    """Make, train and fill an index, on all cores.

    Raises
    ------
    InvalidParameterError
        FAISS refuses; the message has its words.
    """
    try:
        index = _made(factory, vectors.shape[1])
        with threads(cores(len(vectors))):
            _train(index, vectors)
            add(index, vectors)
    except (RuntimeError, MemoryError) as error:
        words = re.split(r" at \S+:\d+: ", str(error))[-1].strip() or type(error).__name__
        raise InvalidParameterError(
            f"index={factory} cannot be built from {len(vectors)} vectors: {words}"
        ) from error
    return index


def _train(index: Any, vectors: FloatArray) -> None:
    """Train within bounds: FAISS's own settings learn a rotation for minutes."""
    inner, rotations = index, list[Any]()
    while isinstance(inner, faiss.IndexPreTransform):
        steps = [
            faiss.downcast_VectorTransform(inner.chain.at(i)) for i in range(inner.chain.size())
        ]
        rotations += [step for step in steps if isinstance(step, faiss.OPQMatrix)]
        inner = faiss.downcast_index(inner.index)
    if isinstance(inner, faiss.IndexHNSW):
        inner.hnsw.efConstruction = EF_CONSTRUCTION
    # FAISS would learn for codes of 8 bits, in ten times the time
    codes = [faiss.ProductQuantizer(step.d_out, step.M, _CODE_BITS) for step in rotations]
    for step, code in zip(rotations, codes, strict=True):
        step.niter = step.niter_pq_0 = _ROTATION_STEPS
        step.max_train_points = _ROTATION_ROWS
        step.pq = code
    if not index.is_trained:
        index.train(_sample(vectors, method_of(index)))
    for step in rotations:
        step.pq = None


def _sample(vectors: FloatArray, method: Method) -> FloatArray:
    """As many as training gains from, drawn alike every time."""
    most = _OTHER_TRAINING_ROWS
    if isinstance(method, ListMethod):
        most = max(most, _LIST_TRAINING_ROWS * method.n_lists)
    if len(vectors) <= most:
        return vectors
    rows = np.random.default_rng(_SEED).choice(len(vectors), most, replace=False)
    return vectors[np.sort(rows)]


def add(index: Any, vectors: FloatArray) -> None:
    """Add vectors, on all cores.

    Raises
    ------
    RuntimeError
        This index takes no more.
    """
    with threads(cores(len(vectors))):
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let FAISS use `n` threads for what the calling thread asks of it.

    A single search is quickest on one: others only wait for it, and keep their cores busy by that.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(n)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def cores(n_vectors: int) -> int:
    """Threads worth starting for so many vectors."""
    return 1 if n_vectors < _LEAST_TO_SHARE else os.cpu_count() or 1


def halves(dimension: int) -> Any:
    """An empty index that keeps vectors in float16."""
    return faiss.IndexScalarQuantizer(dimension, _HALF_BITS, faiss.METRIC_INNER_PRODUCT)


def same_kind(index: Any, factory: str) -> bool:
    """Whether `index` is what a factory string makes, as far as its outermost type tells."""
    try:
        made = _made(factory, index.d)
    except RuntimeError:
        return False
    # what is read back is of a more general or a more special type for some
    alike = isinstance(made, type(index)) or isinstance(index, type(made))
    return alike and bool(index.metric_type == faiss.METRIC_INNER_PRODUCT)


def read(path: Path, *, mapped: bool) -> Any:
    """Read an index file whose digest the caller has verified already.

    FAISS does not notice damage in most of a file, so the digest is the only guard.

    Raises
    ------
    GenerationError
        FAISS cannot read it.
    """
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0)
    except (RuntimeError, MemoryError) as error:
        raise GenerationError(f"index={path.name} cannot be read by FAISS") from error


def write(index: Any, path: Path) -> None:
    """Write an index; the caller makes that durable.

    Raises
    ------
    StorageError
        The disk is full or not writable.
    """
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        raise StorageError(
            f"index={path.name} could not be written; make room or mend permissions"
        ) from error


def size(index: Any) -> int:
    """Bytes of the file that :func:`write` would write."""
    lengths = list[int]()
    faiss.write_index(index, faiss.PyCallbackIOWriter(lambda piece: lengths.append(len(piece))))
    return sum(lengths)
