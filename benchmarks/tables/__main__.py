"""Measure what is not measured yet, and say what the results tell: `python -m benchmarks.tables`."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.tables import registry, report, store
from benchmarks.tables.halves import HALVES, halves
from benchmarks.tables.learners import LEARNERS, named
from benchmarks.tables.registry import Table
from benchmarks.tables.run import Plan, run
from benchmarks.tables.store import Result

PLACE = Path(__file__).with_name("results.jsonl")  # of peers, which take days, and of versions of ours
QUICK_TABLES = ("iris", "wine", "breast_cancer", "digits", "diabetes")
QUICK_LEARNERS = ("kilonet-one", "linear", "forest")
COMPARED = tuple(name for name in LEARNERS if name != "kilonet-one")


def names(text: str) -> list[str]:
    """Return the names of a list with commas."""
    return [name for name in text.split(",") if name]


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    add = options.add_argument
    add(
        "--learners", type=names, default=list(COMPARED), help=f"some of {', '.join(LEARNERS)}; the first of ours leads"
    )
    add("--tables", type=names, help="some tables of registry.toml")
    add("--half", choices=HALVES, help="the tables of one half only")
    add("--most-rows", type=int, default=50_000)
    add("--most-columns", type=int, default=1_000)
    add("--splits", type=int, default=3)
    add("--threads", type=int, default=2, help="of each fit, for everybody")
    add("--limit", type=int, default=1200, help="seconds of processor time for a fit")
    add("--timed", action="store_true", help="nothing else runs on this machine: the seconds count")
    add("--settings", type=json.loads, default={}, help="JSON for our learners, against their defaults")
    add("--results", type=Path, default=PLACE)
    add("--quick", action="store_true", help="five tables of scikit-learn, three quick learners, one split, no limits")
    add("--report", action="store_true", help="measure nothing")
    add("--versions", action="store_true", help="list what there are results of: names for --learners with --report")
    add("--write", action="store_true", help=f"put the report into {report.PAGE.name}")
    return options


def asked_tables(asked: argparse.Namespace) -> list[Table]:
    """Return the tables that the options ask for; raises SystemExit for a name that is not registered."""
    every = registry.read()
    half = halves(every.values())
    wanted = list(QUICK_TABLES) if asked.quick else asked.tables or list(every)
    if unknown := sorted(set(wanted) - set(every)):
        raise SystemExit(f"No tables {', '.join(unknown)} in {registry.REGISTRY.name}; it has {', '.join(every)}.")
    return [
        every[name]
        for name in wanted
        if asked.half in (None, half[name])
        and every[name].shape[0] <= asked.most_rows
        and every[name].shape[1] <= asked.most_columns
    ]


def line(result: Result) -> str:
    """Return a result in one line."""
    values = "  ".join(f"{name} {value:.4g}" for name, value in result.values.items())
    said = values or result.notes["error"].strip().splitlines()[-1]
    return f"{result.job.table}/{result.job.split}  {result.job.learner}  {result.status}  {said}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out what is asked."""
    asked = parser().parse_args(arguments)
    tables = asked_tables(asked)
    learners = list(QUICK_LEARNERS) if asked.quick else asked.learners
    only_read = asked.report or asked.versions
    known = {name.partition("@")[0] if only_read else name for name in learners}
    if unknown := sorted(known - set(LEARNERS)):
        raise SystemExit(f"No learners {', '.join(unknown)}; there are {', '.join(LEARNERS)}.")
    if not only_read:
        for table in tables:
            registry.load(table)  # a package that ships other rows is found before hours are spent
        splits = 1 if asked.quick else asked.splits
        plan = Plan(
            asked.results, splits, asked.threads, asked.limit, asked.timed, asked.settings, apart=not asked.quick
        )
        for result in run(tables, learners, plan):
            print(line(result), flush=True)
    every = store.read(asked.results)
    if asked.versions:
        print("\n".join(store.versions(every)))
        return
    results = store.counted(every, {table.name: table.digest() for table in tables}, learners)
    own = next((name for name in learners if named(name).own), learners[0])
    if asked.write:
        report.write(tables, results, learners, own)
    print(report.page(tables, results, learners, own))


if __name__ == "__main__":
    main()
