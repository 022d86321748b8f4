"""Results: a file of JSON lines that is only ever appended to, one fit a line."""

import fcntl
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """One fit; two results with equal jobs are of the same thing.

    timed: the machine did nothing else, so that the seconds count.
    """

    table: str
    table_digest: str
    split: int
    learner: str
    learner_digest: str
    timed: bool = False


@dataclass(frozen=True)
class Result:
    """What came of a job: "done", "too long" or "failed", what was measured, and notes such as the error."""

    job: Job
    status: str
    values: dict[str, float] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether there is something to score."""
        return self.status == "done"


def append(path: Path, result: Result) -> None:
    """Add a line; several processes may. One that was cut off is taken away first: it will be measured again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write((json.dumps(asdict(result), sort_keys=True) + "\n").encode())


def read(path: Path) -> list[Result]:
    """Return all results in the order of the file; of equal jobs the last. A last line that was cut off is left out."""
    if not path.exists():
        return []
    found: dict[Job, Result] = {}
    for entry in _entries(path):
        result = Result(Job(**entry.pop("job")), **entry)
        found.pop(result.job, None)
        found[result.job] = result
    return list(found.values())


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            if place < len(lines) - 1:
                raise ValueError(
                    f"{path}:{place + 1} is no JSON: {line[:60]!r}. Repair or remove that line."
                ) from error


def counted(results: Iterable[Result], tables: dict[str, str], learners: Sequence[str]) -> list[Result]:
    """Return the results that a report is made of.

    tables: digests by name; results of a table as it was before do not count. learners: "linear" is that learner under
    the digest of its newest result; "kilonet@0a1b2c" is the version with that digest, and a learner of its own.
    """
    here = [result for result in results if tables.get(result.job.table) == result.job.table_digest]
    last = {result.job.learner: result.job.learner_digest for result in here}
    found = []
    for name in learners:
        own, _, version = name.partition("@")
        wanted = own, version or last.get(own)
        of_it = [result for result in here if (result.job.learner, result.job.learner_digest) == wanted]
        found += [replace(result, job=replace(result.job, learner=name)) for result in of_it]
    return found


def versions(results: Iterable[Result]) -> list[str]:
    """Return a line for each version of each learner, the newest last: how to ask for it, how much there is of it."""
    each: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        each[f"{result.job.learner}@{result.job.learner_digest}"].append(result)
    ordered = sorted(each.items(), key=lambda item: item[1][-1].notes["when"])
    lines = []
    for name, own in ordered:
        notes = own[-1].notes
        lines.append(f"{name}  {len(own)} results, the last {notes['when']}, settings {json.dumps(notes['settings'])}")
    return lines
