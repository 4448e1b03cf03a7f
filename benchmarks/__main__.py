"""Measure every row, print the table and write benchmarks/results/<machine>.json. `make bench`"""

import argparse
import importlib
import time
from pathlib import Path

from benchmarks.limits import measure_limits
from benchmarks.machine import describe, slug
from benchmarks.measure import Scale
from benchmarks.table import markdown
from stages.formats.json import write_json
from stages.runtime.allocator import keep_freed_memory

ROWS = ("conversion", "training", "peer", "latents", "probes", "closed_forms", "comparison", "pipeline", "startup")
FOLDER = Path("benchmarks/results")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(". ")[0])
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS, help="leave the other rows out")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each way")
    parser.add_argument("--gigabytes", type=float, default=5.0, help="of data that an experiment must not copy")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it runs, not how fast")
    parser.add_argument("--out", type=Path, help=f"the JSON file (default: {FOLDER}/<machine>.json)")
    given = parser.parse_args()
    keep_freed_memory()  # as a stage does
    scale = Scale(given.repeats, given.quick, given.gigabytes)
    machine, rows = describe(), []
    machine["limits"] = measure_limits(quick=given.quick)
    result = {"machine": machine, "repeats": given.repeats, "rows": rows}
    path = given.out or FOLDER / f"{slug(machine)}.json"
    for name in given.only:
        start = time.perf_counter()
        rows += [row.as_dict() for row in importlib.import_module(f"benchmarks.rows.{name}").measure(scale)]
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
        write_json(path, result)  # after each: what was measured outlives what fails later
    print(f"\n{markdown(result)}\n\nwritten to {path}")


if __name__ == "__main__":
    main()
