"""`Watch`: what an epoch costs does not grow with the epochs before it, and what is told is what all of them tell."""

import math
from collections import Counter

import numpy as np
import pytest

import kilonet as kn
from kilonet.diagnostics import live
from kilonet.diagnostics.live import Watch
from kilonet.diagnostics.rules_layers import dead, saturation
from kilonet.diagnostics.rules_training import divergence, steps
from kilonet.diagnostics.thresholds import DEFAULT
from kilonet.findings import Examination, LayerFacts
from kilonet.history import EpochRecord, History
from kilonet.monitors import NAMES

MEMBERS, LAYERS = 3, 3
RULES = (divergence, steps, saturation, dead)


def record(epoch, loss, table, epochs=400):
    """loss (members,), table (members, layers, names) of monitors; the first batch had a loss of 1."""
    row = np.concatenate([np.ones((len(loss), 1)), table.reshape(len(loss), -1)], axis=1).astype(np.float32)
    nothing = np.full(len(loss), math.nan)
    return EpochRecord(epoch, epochs, loss, nothing, nothing, nothing, 0.1, row)


def run(seed, epochs=60, apart=1):
    """Records of a training in which layers die and saturate, a member is lost, and losses go up and down."""
    random = np.random.default_rng(seed)
    table = np.full((MEMBERS, LAYERS, len(NAMES)), np.nan)
    shares = random.uniform(0.0, 0.5, (MEMBERS, LAYERS - 1, 2))
    moved = random.choice([0.1, 0.1, 0.1, 0.7, 2.0])
    lost, boom = random.integers(5, 2 * epochs, 2)
    for epoch in range(1, epochs + 1):
        shares = np.clip(shares + random.normal(0, 0.04, shares.shape), 0, 1)
        table[...] = np.nan
        if (epoch - 1) % apart == 0:
            table[:, :-1, :2] = shares
            table[:, :, [NAMES.index(name) for name in ("gradient_norm", "update_ratio", "weight_norm")]] = 1, moved, 4
        loss = random.uniform(0.05, 1.5, MEMBERS) * (1e4 if epoch == boom else 1.0)
        if epoch >= lost:
            table[1], loss[1] = np.nan, np.nan
        yield record(epoch, loss, table)


def from_all_rows(network, settings, records):
    """What is to be told, from whole histories: (epoch, text) for each rule and layer once."""
    curves, monitors, said, told = [], [], set(), []
    for one in records:
        curves.append(np.stack([one.loss, one.score, one.validation_loss, one.validation_score], axis=-1))
        monitors.append(one.monitors)
        found = {}
        having = Counter()
        for member in range(MEMBERS):
            seen = History.of(np.stack(curves)[:, [member]], True, np.stack(monitors)[:, [member]])
            layers = []
            for place, layer in enumerate(network.layers):
                last = {name: getattr(seen, name)[:, place] for name in ("dead", "saturated") if place < LAYERS - 1}
                last = {name: values[~np.isnan(values)] for name, values in last.items()}
                shares = {name: float(values[-1]) if len(values) else math.nan for name, values in last.items()}
                n_dead = round(shares.get("dead", 0.0) * layer.units)
                activity = np.where(np.arange(layer.units) < n_dead, 0.0, 0.5)
                nothing, saturated = math.nan, shares.get("saturated", math.nan)
                others = [nothing, saturated, nothing, nothing, nothing, 4.0, nothing, nothing]
                layers.append(LayerFacts(place + 1, layer.unit, layer.units, activity, *others))
            given = Examination("kilonet", "", settings, layers, seen)
            own = [finding for rule in RULES for finding in rule(given, DEFAULT) if finding.severity != "info"]
            found |= {(finding.rule, finding.layer): finding for finding in own}
            having.update({(finding.rule, finding.layer) for finding in own})
        for key, finding in found.items():
            if key not in said:
                said.add(key)
                told.append((one.epoch, f"{finding.what} (in {having[key]} of {MEMBERS} members)", finding.cause))
    return told


@pytest.mark.parametrize("apart", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_it_tells_what_whole_histories_tell_and_when(seed, apart):
    network = kn.Network([4, 40, 40, 2], activation=kn.tanh if seed % 2 else kn.relu)
    settings = {"rate": 5.0, "optimizer": "adam", "epochs": 60}
    records, now, told = list(run(seed, apart=apart)), [0], []
    watch = Watch(network, settings, lambda one, where: told.append((now[0], one.what + where, one.cause)))
    for one in records:
        now[0] = one.epoch
        watch(one)
    assert told == from_all_rows(network, settings, records)
    assert told


def rows_handed_out(epochs, monkeypatch):
    """Rows of history that rules were given over a training in which units stay on the brink of dying."""
    handed = []
    counting = [
        lambda seen, bounds, rule=rule: handed.append(len(seen.history)) or rule(seen, bounds) for rule in RULES
    ]
    monkeypatch.setattr(live, "_RULES", counting)
    told = []
    watch = Watch(kn.Network([4, 6, 2]), {"rate": 0.1, "optimizer": "adam", "epochs": epochs},
                  lambda one, where: told.append((one.rule, one.layer, one.since)))  # fmt: skip
    table = np.full((1, 2, len(NAMES)), np.nan)
    table[:, :, [NAMES.index(name) for name in ("gradient_norm", "update_ratio", "weight_norm")]] = 1, 0.1, 4
    for epoch in range(1, epochs + 1):
        table[0, 0, NAMES.index("dead")] = 2 / 6 if epoch < epochs else 5 / 6  # two of six are luck, five are not
        watch(record(epoch, np.full(1, 0.5), table, epochs))
    assert told == [("dead units", 1, 1)]
    return sum(handed)


def test_the_work_of_an_epoch_does_not_grow(monkeypatch):
    short, long = (rows_handed_out(epochs, monkeypatch) for epochs in (100, 800))
    assert long <= 8.5 * short  # in proportion to the epochs, and one look at all of them


def test_what_was_told_is_not_looked_at_again(monkeypatch):
    handed = []
    monkeypatch.setattr(live, "_RULES", [lambda seen, bounds: handed.append(1) or dead(seen, bounds)])
    watch = Watch(kn.Network([4, 40, 2]), {"rate": 0.1, "optimizer": "adam"}, lambda *_: None)
    table = np.full((1, 2, len(NAMES)), np.nan)
    table[:, :, [NAMES.index(name) for name in ("update_ratio", "weight_norm")]] = 0.1, 4
    table[0, 0, NAMES.index("dead")] = 0.9
    for epoch in range(1, 101):
        watch(record(epoch, np.full(1, 0.5), table))
    assert len(handed) <= 2
