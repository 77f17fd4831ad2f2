"""The service under load, beside an empty route of FastAPI and beside its index alone.

::

    python -m benchmarks.serving DATA_DIR --folder FOLDER [--sizes 10_000,100_000,1_000_000]

For each size a data folder is made in FOLDER with synthetic tracks (see `benchmarks.catalogs`),
unless it is there from before, and served by ``python -m api`` as a user would. wrk asks for random
tracks. The empty route returns the bytes of one of these answers from memory, by the same server
with the same settings. All of them take turns, so shares are of the same minutes. wrk runs on the
same machine, and takes a part of it from all of them alike.

Ready is when ``/readyz`` says so, from the start of the process; the pages of its files may be in
the cache of the system. A reload begins when ``CURRENT`` is replaced, and ends with the first
answer from the other generation; the service looks every 0.1 s for it here. Needs wrk.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.output import Report, add_json, whole_numbers
from benchmarks.serving_load import under_load
from benchmarks.serving_rest import at_rest
from benchmarks.serving_setup import Setup

CLIENTS = (1, 8, 32)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path, help="with real vectors")
    parser.add_argument("--folder", type=Path, required=True, help="where data folders are made")
    parser.add_argument("--sizes", type=whole_numbers, default=[10_000, 100_000])
    parser.add_argument("--clients", type=whole_numbers, default=list(CLIENTS))
    parser.add_argument("--workers", type=whole_numbers, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10.0, help="of one turn")
    parser.add_argument("--disturbed-seconds", type=float, default=10.0, help="of one, disturbed")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20_000, help="before memory is weighed")
    parser.add_argument("--uploads", type=float, default=2.0, help="clips a second")
    parser.add_argument("--reload-every", type=float, default=2.5, help="seconds")
    add_json(parser)
    options = parser.parse_args()
    report = Report.of("benchmarks.serving", options)
    for n in options.sizes:
        with tempfile.TemporaryDirectory() as name:
            setup = Setup(options, n, Path(name))
            for table in (*at_rest(setup), *under_load(setup)):
                report.add(table)


if __name__ == "__main__":
    main()
