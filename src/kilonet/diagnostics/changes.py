"""How remedies are made: changes of settings, unless they are so already."""

from collections.abc import Mapping

from kilonet.findings import Examination, Remedy
from kilonet.tables import TableEncoder

SCALED = {"encode": "auto"}  # the estimators' setting that standardizes inputs


def change(examination: Examination, text: str, **changes: object) -> Remedy:
    """A remedy; the words alone of networks that were trained elsewhere, and where it is set already.

    What such a setting did not do is left to a person: inputs that an encoder leaves as they are, such as ones and
    zeros. `unset` has no remedy then.
    """
    free = examination.origin == "kilonet" and not is_set(examination, changes)
    return Remedy(text, changes if free else {})


def unset(examination: Examination, text: str, **changes: object) -> list[Remedy]:
    """A remedy, or none where it is set already."""
    return [] if is_set(examination, changes) else [change(examination, text, **changes)]


def is_set(examination: Examination, changes: Mapping[str, object]) -> bool:
    """Whether the settings are so already; an encoder of one's own that standardizes is as good as "auto"."""
    settings = dict(examination.settings)
    if isinstance(settings.get("encode"), TableEncoder) and settings["encode"].standardize:
        settings["encode"] = "auto"
    return all(name in settings and settings[name] == value for name, value in changes.items())


def standardize(examination: Examination) -> Remedy:
    """To scale the inputs."""
    return change(examination, "standardize the inputs", **SCALED)


def centre(examination: Examination) -> Remedy:
    """To bring inputs around 0, which scaling does; but not of sparse ones, whose zeros stay zeros."""
    if examination.inputs is not None and examination.inputs.sparse:
        return Remedy("inputs around 0: a dense table of them, standardized", {})
    return standardize(examination)


def positive(examination: Examination) -> bool:
    """Whether no input is ever below 0, though nobody centred them."""
    inputs = examination.inputs
    return inputs is not None and inputs.positive and not is_set(examination, SCALED)
