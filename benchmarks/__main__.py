"""`make bench`: measure and print tables, part by part. `make bench ARGS=--help` lists what can be set."""

import argparse
import json
from pathlib import Path

from benchmarks import machine, report
from benchmarks.part import Asked, Part, together
from benchmarks.populations import features, populations, scaling, study
from benchmarks.singles import pictures, predictions, singles
from benchmarks.workloads import POPULATIONS, TRAINING, chosen

PARTS = {
    part.__name__: part for part in (singles, populations, features, scaling, study, predictions, pictures)
}  # as they stand in the README


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds; the median of them counts")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of one measurement of one peer")
    parser.add_argument(
        "--only", default="", help="only training, of workloads whose name contains this, such as 784-256 or 1500x2"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="only these parts")
    parser.add_argument("--json", type=Path, help="write every single measurement to this file")
    parser.add_argument("--write-readme", action="store_true", help="put the result into README.md")
    asked = parser.parse_args()
    if asked.write_readme and (asked.only or asked.rounds < 5 or set(asked.parts) != set(PARTS)):
        parser.error("README.md gets whole measurements only: all parts and workloads, at least 5 rounds.")
    if not chosen(everything := [*TRAINING, *POPULATIONS], asked.only):
        parser.error(f"no workload's name contains {asked.only!r}: {'; '.join(each.name for each in everything)}")
    return asked


def surroundings(parts: list[Part]) -> str:
    """Return the machine's peak, where it was measured, and what the machine is."""
    peaks = [peak for part in parts for peak in part.peaks]
    first = [report.peak(peaks, machine.fma_peak(machine.cores()))] if peaks else []
    return "\n".join([*first, machine.describe()])


def main() -> None:
    """Measure, print, and write what was asked for."""
    asked = arguments()
    how = Asked(asked.rounds, asked.seconds, asked.only)
    parts = []
    for name in [name for name in PARTS if name in asked.parts]:
        found = PARTS[name](how)
        if found is not None:
            parts.append(found)
            print(together([found], shown=True), end="\n\n", flush=True)
    if not parts:
        raise SystemExit(f"--only {asked.only!r} leaves nothing of {' and '.join(asked.parts)}.")
    last = surroundings(parts)
    print(last)
    if asked.json:
        seconds = {name: [vars(series) for series in each] for part in parts for name, each in part.found.items()}
        asked.json.write_text(json.dumps({"machine": machine.describe(), "seconds": seconds}, indent=1))
    if asked.write_readme:
        report.write_readme(together(parts, shown=False) + f"\n\n{last}")


if __name__ == "__main__":
    main()
