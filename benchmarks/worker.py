"""One peer in a process of its own: `python -m benchmarks.worker PEER THREADS`, one JSON command a line.

Processes keep the peers' thread pools and caches apart; a worker that waits for its next command sleeps.
"""

import json
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import peer
from benchmarks.workloads import Workload


def answer(subject: Any, command: dict[str, Any]) -> dict[str, Any]:
    """Carry out one command: "do" is a peer's method, "count" how often, the rest its arguments."""
    method = getattr(subject, command.pop("do"))
    path = command.pop("path", None)
    if "workload" in command:
        parts = command["workload"]
        values = {field.name: parts[field.name] for field in fields(Workload)}
        command["workload"] = Workload(**values | {"sizes": tuple(values["sizes"])})
    start = time.perf_counter()
    result = method(**command)
    seconds = time.perf_counter() - start
    if path is not None:
        np.save(Path(path), result)
        result = None
    return {"seconds": seconds, "result": result}


def main() -> None:
    """Answer commands until there are no more."""
    name, threads = sys.argv[1], int(sys.argv[2])
    answers, sys.stdout = sys.stdout, sys.stderr  # what a peer prints must not look like an answer
    subject = peer(name, threads)
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(subject, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
