"""A network of 10^8 parameters: built, counted, and trained for a step in a process whose memory is read."""

import json
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kilonet.engine.memory import free_bytes
from kilonet.errors import EngineError, MemoryLimitError
from kilonet.losses import cross_entropy
from kilonet.measured import Figure, Measured, Series, Table, Text, same, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.training import train

PARAMETERS, LAYERS, INPUTS, CLASSES = 10**8, 12, 3072, 10  # the notes: about 100 million in some 10 to 20 layers
BATCH = 32
RATES = {"sgd": 0.001, "momentum": 0.001, "adam": 1e-5}  # Adam's first step moves every weight by the whole rate
AIM = 3.0  # times the parameters and the optimizer's own numbers: the most that a step should take
SHARE = 0.9  # of what is free: the process of its own may take it, since it is soon over
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Step:
    """One step of one optimizer, in a fresh process.

    needed: bytes of the parameters and of what the optimizer keeps; taken: peak of resident memory above that before
    the network was there, in bytes; before, after: loss of the batch.
    """

    optimizer: str
    n_parameters: int
    n_layers: int
    needed: int
    taken: int
    before: float
    after: float
    seconds: float

    @property
    def times(self) -> float:
        """Memory that was taken by what is needed."""
        return self.taken / self.needed


def network(parameters: int = PARAMETERS) -> Network:
    """Layers of equal width, of the least width that has so many parameters.

    >>> network(10**6).n_parameters
    1004464
    """

    def of(width: int) -> Network:
        return Network([INPUTS, *[width] * (LAYERS - 1), CLASSES])

    widths = range(1, 10**5)
    return of(widths[bisect_left(widths, parameters, key=lambda width: of(width).n_parameters)])


def peak_bytes() -> int:
    """The largest resident size of this process so far, from its start on and of no other."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def child(optimizer: str, parameters: int) -> None:
    """What the process of its own does: one batch, one step, and a line of JSON with a `Step`'s fields."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(BATCH, INPUTS)).astype(np.float32), np.arange(BATCH) % CLASSES
    tiny = Network([INPUTS, 2, CLASSES])
    train(tiny, cross_entropy, X, y, optimizer=optimizer, epochs=1)  # whatever is loaded and started but once
    begun, baseline = time.perf_counter(), peak_bytes()
    net, free = network(parameters), free_bytes()
    allowed = None if free is None else int(SHARE * free)
    runs = train(
        net, cross_entropy, X, y, seed=0, optimizer=optimizer, rate=RATES[optimizer], batch=BATCH, epochs=1, watch=0,
        max_memory=allowed,
    )  # fmt: skip
    taken, seconds = peak_bytes() - baseline, time.perf_counter() - begun
    needed = sum(runs.state[name].nbytes for name in ("theta", "slots") if name in runs.state)
    after = float(np.mean(cross_entropy.value(net.scores(runs.theta, X), y)))
    before = float(runs.history.loss[0])
    found = Step(optimizer, net.n_parameters, net.n_layers, needed, taken, before, after, seconds)
    sys.stdout.write(json.dumps(vars(found)) + "\n")


def step(optimizer: str, parameters: int = PARAMETERS) -> Step:
    """Run `child` in a fresh process.

    Raises EngineError where the system does not tell a process's memory, or the process fails; MemoryLimitError where
    there is too little of it.
    """
    if not STATUS.exists():
        raise EngineError(f"the peak of a process's memory is read from {STATUS}, which is not here; needs Linux.")
    code = f"from kilonet.notes.hundred_million import child; child({optimizer!r}, {parameters})"
    command = [sys.executable, "-c", code]  # nothing from outside: an optimizer's name from `run`
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return Step(**json.loads(done.stdout))
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    # A negative status is a signal: that of a kernel out of memory is 9, as from one's own hand.
    if "MemoryLimitError" in last or "MemoryError" in last or done.returncode == -9:
        raise MemoryLimitError(
            f"a network of {parameters:,} parameters did not find its memory here: {last}. Free some first."
        )
    raise EngineError(f"the process that trains {parameters:,} parameters ended with status {done.returncode}: {last}")


def run(size: Size) -> Measured:
    """Measure it. SGD keeps nothing, so that it is the hardest of the optimizers for the aim of memory."""
    steps = [step(optimizer) for optimizer in size.of(tuple(RATES), ("sgd",))]
    first, total = steps[0], steps[0].n_parameters
    # It is as large and as deep as the notes say, and a step of each optimizer lowers the loss of its batch. Of memory
    # the notes say nothing: what a step takes is told beside it, by the project's own aim.
    said = together(
        verdict(first.n_parameters, first.n_parameters, f"[{PARAMETERS}, inf)"),
        verdict(first.n_layers, first.n_layers, "[10, 20]"),
        *(verdict(one.after, one.after, f"[0, {one.before})") for one in steps),
    )
    facts = {f"times_{one.optimizer}": one.times for one in steps}
    facts |= {f"gigabytes_{one.optimizer}": one.taken / 1e9 for one in steps}
    facts |= {
        "parameters": first.n_parameters, "layers": first.n_layers, "before": first.before, "after": first.after,
        "seconds": first.seconds,
    }  # fmt: skip
    return Measured(said, _statement(steps), total, total, total, _table(steps), _figure(steps), facts)


def _statement(steps: Sequence[Step]) -> Text:
    first = steps[0]
    english = ", ".join(f"{s.times:.2f} ({s.optimizer})" for s in steps)
    korean = ", ".join(f"{s.optimizer} {s.times:.2f}배" for s in steps)
    return Text(
        f"A network of {first.n_parameters:,} parameters in {first.n_layers} layers is built and counted, and one "
        f"step of {first.optimizer} takes the loss of its {BATCH} examples from {first.before:.3f} to "
        f"{first.after:.3f}; the memory is not judged: at its peak it is {english} times that of the parameters and "
        f"the optimizer's state, where Kilonet aims at {AIM:g} at most.",
        f"매개변수가 {first.n_parameters:,}개이고 층이 {first.n_layers}개인 신경망을 만들어 개수를 셌고, "
        f"{first.optimizer}로 한 스텝 학습하니 예제 {BATCH}개의 손실이 {first.before:.3f}에서 {first.after:.3f}로 "
        "바뀌었습니다. 메모리는 판정에 넣지 않았습니다. 최대 메모리 사용량은 매개변수와 옵티마이저 상태의 크기에 "
        f"견주어 {korean}이며, Kilonet의 목표는 {AIM:g}배 이하입니다.",
    )


def _table(steps: Sequence[Step]) -> Table:
    head = (
        Text("optimizer", "옵티마이저"),
        Text("loss, before and after", "손실(전 → 후)"),
        Text("parameters and state, GB", "매개변수와 상태(GB)"),
        Text("peak above the baseline, GB", "기준선을 뺀 최대 사용량(GB)"),
        Text("times", "배"),
        Text("seconds", "초"),
    )
    rows = [
        (s.optimizer, f"{s.before:.3f} → {s.after:.3f}", f"{s.needed / 1e9:.2f}", f"{s.taken / 1e9:.2f}",
         f"{s.times:.2f}", f"{s.seconds:.1f}")
        for s in steps
    ]  # fmt: skip
    return Table(head, tuple(rows))


def _figure(steps: Sequence[Step]) -> Figure:
    bars = Series.of(Text("peak memory", "최대 메모리"), [], [s.times for s in steps])
    alt = Text(
        "Peak memory of one training step by the size of parameters and optimizer's state, for each optimizer.",
        "옵티마이저별로 매개변수와 옵티마이저 상태의 크기에 견준 한 스텝 학습의 최대 메모리.",
    )
    y = Text("peak, by parameters and state", "매개변수와 상태 대비")
    return Figure("bars", alt, y=y, series=(bars,), names=tuple(same(s.optimizer) for s in steps))


EXPERIMENT = Experiment(
    "hundred-million",
    ("3.6",),
    Text("A hundred million parameters", "매개변수 1억 개"),
    Text(
        "Modern networks have about 100 million parameters in some 10 to 20 layers.",
        "오늘날의 신경망은 매개변수가 약 1억 개이고 층이 10~20개쯤입니다.",
    ),
    run,
)
