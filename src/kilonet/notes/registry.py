"""All experiments by name, in the order of the notes; each is imported when it is asked for."""

from importlib import import_module

from kilonet.checks import nearest, shown
from kilonet.errors import SettingError
from kilonet.notes.experiment import Experiment

NAMES = (
    "collapse",
    "one-neuron",
    "gradual-forgetting",
    "saturation",
    "zig-zag",
    "tanh-and-sigmoid",
    "convergence",
    "dying-relu",
    "leaky-units",
    "maxout",
    "mixed-units",
    "neuron-types",
    "sizing",
    "hundred-million",
    "approximation",
    "bumps",
    "depth",
    "capacity",
    "large-and-regularized",
    "seed-variance",
    "regularization",
)


def experiment(name: str) -> Experiment:
    """The experiment of this name: `EXPERIMENT` of its module, in which "-" is "_".

    Raises SettingError, with the known names, for one that is not there.

    >>> experiment("dying-relu").rows
    ('2.9',)
    """
    if name not in NAMES:
        hint = nearest(name, NAMES)
        raise SettingError(f"there is no experiment {shown(name)}; needs one of {', '.join(NAMES)}.{hint}")
    found = import_module(f"kilonet.notes.{name.replace('-', '_')}").EXPERIMENT
    if not isinstance(found, Experiment):
        raise SettingError(f"EXPERIMENT of {name} is {shown(found)}; needs an Experiment.")
    return found
