"""How long a training takes, from its first steps: before it is repeated, or tried with other settings."""

import time

from kilonet.engine import Problem
from kilonet.population import Group, Population

_PROBE = 0.1  # seconds: enough to see how fast it goes


def seconds_of(problem: Problem, epochs: int) -> float:
    """About how long so many epochs of a problem with one member take: it is trained for a tenth of a second."""
    with Population([Group.whole(problem)]) as population:
        begun = time.perf_counter()
        population.advance(epochs, _PROBE)
        seconds, state = time.perf_counter() - begun, population.sessions[0].state()
    ended = max(int(state["diverged"][0]), int(state["stopped"][0]))
    done = ended or max(int(state["step"][0]), 1) / problem.steps_per_epoch
    return seconds * epochs / done
