"""FAISS, in the one place that imports it."""

from typing import Any

import faiss as _faiss

# the package's stubs leave out most of what is generated: classes, keyword arguments, attributes
faiss: Any = _faiss
