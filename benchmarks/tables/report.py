"""What the results say, in words and tables for docs/tables.md."""

from collections.abc import Sequence
from importlib import metadata
from math import isnan
from pathlib import Path

from benchmarks import machine
from benchmarks.report import markdown, write_readme
from benchmarks.tables import outcome, picture, ranks, registry
from benchmarks.tables.halves import halves
from benchmarks.tables.learners import named
from benchmarks.tables.outcome import LARGER_IS_BETTER, NAMES, TASK_OF, Cells, Comparison
from benchmarks.tables.registry import Table
from benchmarks.tables.store import Result

PAGE = Path(__file__).parents[2] / "docs/tables.md"
HEADINGS = {"judged": "The judged half", "chosen": "The chosen half", "both": "All tables"}


def parts(tables: Sequence[Table]) -> dict[str, list[Table]]:
    """Return the tables of each half, and all of them; halves are those of the whole registry."""
    half = halves(registry.read().values())
    return {name: [table for table in tables if name in (half[table.name], "both")] for name in HEADINGS}


def figure(value: float, digits: int) -> str:
    """Return a number, or a dash for none.

    >>> figure(0.1234, 3), figure(float("nan"), 3)
    ('0.123', '–')
    """
    return "–" if isnan(value) else f"{value:.{digits}f}"


def probability(p: float) -> str:
    """Return a probability with two significant digits, never as nothing; a dash where there was no test.

    >>> probability(0.0123), probability(1e-9), probability(float("nan"))
    ('0.012', 'less than 0.0001', '–')
    """
    if isnan(p):
        return "–"
    return "less than 0.0001" if p < 1e-4 else f"{p:.2g}"


def comparisons(tables: Sequence[Table], found: Cells, learners: Sequence[str]) -> list[Comparison]:
    """Return a comparison for each metric of which two tables at least were met by everybody."""
    of_task = {task: [table.name for table in tables if table.task == task] for task in TASK_OF.values()}
    each = [Comparison.of(metric, found, of_task[TASK_OF[metric]], learners) for metric in LARGER_IS_BETTER]
    return [one for one in each if len(one.tables) > 1]


def standing(each: Sequence[Comparison], found: Cells, timed: Cells, own: str) -> str:
    """Return the table of mean ranks, calibration, times and failures, the best by log loss first.

    All columns are of the tables that every learner has met.
    """
    first = next((one for one in each if one.metric == "log_loss"), each[0])
    names = sorted({name for one in each for name in one.tables})
    head = [
        "learner",
        *(f"rank by {NAMES[one.metric]}" for one in each),
        "calibration error",
        "seconds",
        "times as long",
        "failed on",
    ]
    rows = []
    for learner, _ in sorted(first.mean_ranks.items(), key=lambda item: item[1]):
        rows.append([
            named(learner).title,
            *(f"{one.mean_ranks[learner]:.2f}" for one in each),
            figure(outcome.mean_of("calibration_error", found, names, learner), 3),
            figure(outcome.seconds(timed, names, learner), 2),
            figure(outcome.times_as_long(timed, names, learner, own), 2),
            str(outcome.failures(found, names, learner)),
        ])  # fmt: skip
    return markdown(head, rows)


def tests(one: Comparison, own: str) -> str:
    """Return what Friedman's, Nemenyi's and Wilcoxon's tests say by one metric."""
    if len(one.learners) < 2:
        return f"By {NAMES[one.metric]}, on {len(one.tables)} tables: there is nothing to compare with."
    pairs = ", ".join(f"{named(name).title} {probability(p)}" for name, p in one.pairs(own).items())
    return (
        f"By {NAMES[one.metric]}, on {len(one.tables)} tables ({one.splits} splits in all): Friedman's test has p "
        f"{probability(ranks.friedman(one.ranks))}; by Nemenyi's, mean ranks {one.apart:.2f} apart differ at the 5% "
        f"level. {named(own).title} against each other learner, p of Wilcoxon's signed-rank test after Holm: {pairs}."
    )


def intervals(tables: Sequence[Table], found: Cells, own: str) -> str:
    """Return how many targets lay in our nominal intervals of 90%, or nothing where they were not measured."""
    names = [table.name for table in tables if table.task == "regression"]
    covered, width = (outcome.mean_of(value, found, names, own) for value in ("coverage", "width"))
    if isnan(covered):
        return ""
    return (
        f"{named(own).title}'s intervals of 90% cover {covered:.1%} of the held-out targets (mean over tables); "
        f"their median width is {width:.2f} standard deviations of the target, mean over tables."
    )


def groups(learners: Sequence[str]) -> dict[str, list[str]]:
    """Return who is compared with whom: all, and those that take seconds and so have met many more tables.

    >>> groups(["kilonet", "linear", "tabm"])
    {'Without TabM': ['kilonet', 'linear'], 'With TabM': ['kilonet', 'linear', 'tabm']}
    """
    deep = " and ".join(named(name).title for name in learners if named(name).deep)
    quick = [name for name in learners if not named(name).deep]
    return (
        {f"Without {deep}": quick, f"With {deep}": list(learners)} if deep and len(quick) > 1 else {"": list(learners)}
    )


def section(half: str, tables: Sequence[Table], results: Sequence[Result], learners: Sequence[str], own: str) -> str:
    """Return heading, standing and tests of one half."""
    found = outcome.cells(results)
    timed = outcome.cells([result for result in results if result.job.timed])
    lines = [f"### {HEADINGS[half]}"]
    for title, some in groups(learners).items():
        each = comparisons(tables, found, some)
        met = len({name for one in each for name in one.tables})
        lines += [f"#### {title}, {met} tables"] if title else []
        if each:
            lines += [standing(each, found, timed, own), *(tests(one, own) for one in each)]
        else:
            lines += ["No two tables of one task have been met by every learner yet."]
    return "\n\n".join([*lines, *filter(None, [intervals(tables, found, own)])])


def registered(tables: Sequence[Table]) -> str:
    """Return the list of tables: half, task, size, where they come from and how many columns were left out."""
    half = halves(registry.read().values())
    rows = [
        [
            table.name, half[table.name], table.task, f"{table.shape[0]:,} × {table.shape[1]}",
            table.source.replace(":", " ", 1), str(len(table.drop)),
        ]
        for table in sorted(tables, key=lambda table: (table.task, half[table.name], table.shape[0]))
    ]  # fmt: skip
    return markdown(["table", "half", "task", "rows × columns", "source", "left out"], rows)


def page(tables: Sequence[Table], results: Sequence[Result], learners: Sequence[str], own: str) -> str:
    """Return everything that stands between the marks of the page."""
    packages = {table.package for table in tables} | {name for each in learners for name in named(each).packages}
    here = {distribution.metadata["Name"] for distribution in metadata.distributions()}
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in sorted(packages & here))
    sections = [section(half, own_tables, results, learners, own) for half, own_tables in parts(tables).items()]
    return "\n\n".join(
        [f"{machine.describe()} Learners and tables: {versions}.", *sections, "### Tables", registered(tables)]
    )


def write(
    tables: Sequence[Table], results: Sequence[Result], learners: Sequence[str], own: str, path: Path = PAGE
) -> None:
    """Put text and picture of the judged half in place; raises ValueError when the page lacks its marks."""
    text = page(tables, results, learners, own)
    each = comparisons(parts(tables)["judged"], outcome.cells(results), learners)
    if each:
        picture.draw(each, own, path.with_suffix(""))
        text = f"![Mean ranks on the judged half]({path.stem}.svg)\n\n{text}"
    write_readme(text, path)
