"""How findings speak of units, shares, rates and places."""

from collections.abc import Sequence

from kilonet.numerals import count, significant

_MANY = 10  # times as large: from here on nobody reads percent
_LEAST = 0.0005  # what one digit behind the point shows of a share in percent
_UNITS = {
    "relu": "ReLU", "leaky_relu": "leaky ReLU", "prelu": "PReLU", "elu": "ELU", "selu": "SELU", "gelu": "GELU",
    "silu": "SiLU",
}  # fmt: skip


def of_nothing(left: float) -> str:
    """A loss by that of knowing nothing: a share of it, or how many times as large it is.

    >>> of_nothing(0.97), of_nothing(38.81)
    ('97% of that', '39 times that')
    """
    return f"{significant(left)} times that" if left >= _MANY else f"{share_text(left)} of that"


def share_text(share: float) -> str:
    """A share in whole percent; what is not all never reads 100%, what is not nothing never 0%.

    >>> share_text(0.4297), share_text(0.997), share_text(0.002), share_text(1.0), share_text(38.81)
    ('43%', '99.7%', '0.2%', '100%', '3,881%')
    >>> share_text(0.99999), share_text(2e-6)
    ('over 99.9%', 'under 0.1%')
    """
    text = f"{share:,.0%}"
    if text == "0%" and share > 0:
        return f"{share:.1%}" if share >= _LEAST else "under 0.1%"
    if text == "100%" and share < 1:
        return f"{share:.1%}" if share < 1 - _LEAST else "over 99.9%"
    return text


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

    >>> moved_text(0.52, "the"), moved_text(318.4, "a layer's")
    ('52% of the weights', "a layer's weights by 320 times their size")
    """
    if moved < 1:
        return f"{share_text(moved)} of {whose} weights"
    return f"{whose} weights by {significant(moved)} times their size"


def since_text(epoch: int) -> str:
    """When it began, with a space in front; nothing where that is not known.

    >>> since_text(2), since_text(1), since_text(0)
    (' since epoch 2', ' from the first epoch on', '')
    """
    if epoch == 1:
        return " from the first epoch on"
    return f" since epoch {epoch:,}" if epoch else ""


def cause_text(cause: str) -> str:
    """A cause as a sentence that says how sure it is, once.

    >>> cause_text("the rate 5 is likely too high"), cause_text("inputs are not scaled")
    ('Likely cause: the rate 5 is too high.', 'Likely cause: inputs are not scaled.')
    """
    said = cause.replace(" is likely too ", " is too ")
    return f"Likely cause: {said}" + ("" if said.endswith((".", "?", "!")) else ".")


def members_text(members: Sequence[int]) -> str:
    """Members by their numbers, which count from 0.

    >>> members_text([2]), members_text([0, 2])
    ('member 2', 'members 0 and 2')
    """
    return f"member{'s' if len(members) > 1 else ''} {listed([str(one) for one in members])}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence, the end of a long list left out.

    >>> listed(["a", "b"]), listed(["a", "b", "c"], most=1)
    ('a and b', 'a and 2 more')
    """
    shown, rest = list(names[:most]), len(names) - most
    if rest > 0:
        shown.append(f"{rest:,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
