"""What an optimizer of PyTorch tells of a training. Classes are known by their names: torch itself is not imported."""

from collections.abc import Sequence
from typing import Any

from kilonet.checks import shown
from kilonet.diagnostics.foreign_given import plain
from kilonet.errors import SettingError

_SAME = {
    "SGD": ("sgd", {}, ("dampening", "maximize")),
    "Adam": ("adam", {"epsilon": "eps"}, ("amsgrad", "maximize")),
    "AdamW": ("adamw", {"epsilon": "eps", "decay": "weight_decay"}, ("amsgrad", "maximize")),
    "RMSprop": ("rmsprop", {"decay": "alpha", "epsilon": "eps"}, ("momentum", "centered", "maximize")),
    "Adagrad": ("adagrad", {"epsilon": "eps"}, ("lr_decay", "initial_accumulator_value", "maximize")),
}
"""Kilonet's name; its settings by what torch calls them; what Kilonet has not, so that it has to be off."""


def trained_by(optimizer: Any, weights: Sequence[Any]) -> tuple[dict[str, Any], Any]:
    """Settings by Kilonet's names, and the optimizer as `Recipe` takes it: None where Kilonet has no such one.

    weights: those of the Linear layers. Groups of parameters without any of them, such as one for biases, are not
    asked. rate and l2 are None where the groups differ in them. Where a scheduler changes the rate, it is the one that
    it begins with. weight_decay is l2, of weights alone, but for AdamW, which has it as the optimizer's own.
    """
    if optimizer is None:
        return {}, None
    if not hasattr(optimizer, "param_groups"):
        raise SettingError(
            f"optimizer came as {shown(optimizer)}; needs one of torch.optim. What is only known by its name goes into "
            'settings: {"optimizer": "adam", "rate": 0.001}.'
        )
    groups = _asked(optimizer.param_groups, weights)
    kind = type(optimizer).__name__
    if kind == "Adam" and _common(groups, "decoupled_weight_decay"):
        kind = "AdamW"
    rates = [{"lr": group.get("initial_lr", group["lr"])} for group in groups]
    rate, same = _common(rates, "lr"), _same(kind, groups)
    told: dict[str, Any] = {"optimizer": _SAME[kind][0] if kind in _SAME else kind, "rate": rate}
    if kind == "SGD" and groups[0].get("momentum"):
        told["optimizer"] = "nesterov" if groups[0].get("nesterov") else "momentum"
    if any("initial_lr" in group for group in groups):
        told["schedule"] = "scheduled"
    if kind != "AdamW":
        told["l2"] = _common(groups, "weight_decay", 0.0)
    return told, same


def _asked(groups: Sequence[Any], weights: Sequence[Any]) -> Sequence[Any]:
    """Groups that hold a weight; all where they do not tell what they hold."""
    known = {id(one) for one in weights}
    found = [group for group in groups if any(id(one) in known for one in group.get("params", ()))]
    return found or groups


def _common(groups: Sequence[Any], name: str, default: float | None = None) -> float | None:
    """A setting that all groups have in common, else None."""
    found = {None if group.get(name, default) is None else float(plain(group.get(name, default))) for group in groups}
    return found.pop() if len(found) == 1 else None


def _same(kind: str, groups: Sequence[Any]) -> Any:
    """Kilonet's optimizer that makes the same steps, or None."""
    if kind not in _SAME:
        return None
    name, names, other = _SAME[kind]
    if any(group.get(setting) for group in groups for setting in other):
        return None
    settings = {own: _common(groups, torchs) for own, torchs in names.items()}
    if kind == "SGD":
        momentum = _common(groups, "momentum", 0.0)
        if not momentum:
            return None if momentum is None else name
        name, settings = "nesterov" if groups[0].get("nesterov") else "momentum", {"beta": momentum}
    if kind.startswith("Adam"):
        betas = {tuple(group["betas"]) for group in groups if "betas" in group}
        beta1, beta2 = betas.pop() if len(betas) == 1 else (None, None)
        settings |= {"beta1": beta1, "beta2": beta2}
    told = {own: value for own, value in settings.items() if value is not None and (value or own != "epsilon")}
    return {"name": name} | told if len(told) == len(settings) else None
