"""How findings speak of units, shares, rates and places."""

from collections.abc import Sequence

from kilonet.numerals import count, percent

_UNITS = {
    "relu": "ReLU", "leaky_relu": "leaky ReLU", "prelu": "PReLU", "elu": "ELU", "selu": "SELU", "gelu": "GELU",
    "silu": "SiLU",
}  # fmt: skip


def share_text(share: float) -> str:
    """A share in whole percent; what is not all never reads 100%, what is not nothing never 0%.

    >>> share_text(0.4297), share_text(0.997), share_text(0.002), share_text(1.0)
    ('43%', '99.7%', '0.2%', '100%')
    """
    text = f"{share:.0%}"
    return percent(share) if text in ("0%", "100%") else text


def unit_name(unit: str) -> str:
    """What a kind of unit is called: leaky_relu(0.1) is leaky ReLU.

    >>> unit_name("relu"), unit_name("leaky_relu(alpha=0.1)"), unit_name("tanh"), unit_name("maxout(3)")
    ('ReLU', 'leaky ReLU', 'tanh', 'maxout')
    """
    name = unit.partition("(")[0]
    return _UNITS.get(name, name)


def units_text(number: int, unit: str) -> str:
    """Units of one kind.

    >>> units_text(64, "relu"), units_text(1, "tanh")
    ('64 ReLU units', '1 tanh unit')
    """
    return count(number, f"{unit_name(unit)} unit")


def moved_text(moved: float, whose: str) -> str:
    """How much a step changed weights.

    >>> moved_text(0.52, "the"), moved_text(22.95, "a layer's")
    ('52% of the weights', "a layer's weights by 23 times their size")
    """
    return (
        f"{share_text(moved)} of {whose} weights" if moved < 1 else f"{whose} weights by {moved:.2g} times their size"
    )


def since_text(epoch: int) -> str:
    """When it began, with a space in front; nothing where that is not known.

    >>> since_text(2), since_text(0)
    (' since epoch 2', '')
    """
    return f" since epoch {epoch:,}" if epoch else ""


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence, the end of a long list left out.

    >>> listed(["a", "b"]), listed(["a", "b", "c"], most=1)
    ('a and b', 'a and 2 more')
    """
    shown, rest = list(names[:most]), len(names) - most
    if rest > 0:
        shown.append(f"{rest:,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
