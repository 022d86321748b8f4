"""SVG inside a page: only what draws is let through, and no two pictures share a name."""

import re
from xml.etree import ElementTree as ET

from kilonet.report.words import clean

_WRITES = frozenset(("text", "tspan", "title", "desc"))
_DRAWS = _WRITES | {
    "svg", "g", "defs", "use", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image", "clipPath",
    "pattern", "mask", "marker", "linearGradient", "radialGradient", "stop",
}  # fmt: skip
_LINK = re.compile(r"url\(\s*#")
_ABROAD = re.compile(r"url\((?!\s*#)|@import|expression\(|javascript:", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]*")


def inline(svg: str, name: str, alt: str) -> str:
    """An SVG document as an element of a page: no script, no link but to itself, names that are its own.

    name: what names inside it begin with. alt: for those who do not see it. Raises ValueError where svg is no XML.

    >>> inline('<svg viewBox="0 0 1 1"><path id="a" d="M0 0"/><script>x</script></svg>', "dot", "a dot")
    '<svg viewBox="0 0 1 1" role="img" aria-label="a dot"><path id="dot-a" d="M0 0" /></svg>'
    """
    try:
        root = ET.fromstring(svg)  # noqa: S314 - expat expands no bombs, and reads nothing from elsewhere
    except ET.ParseError as error:
        raise ValueError(f"the picture {name} is no SVG: {error}.") from error
    made = _element(root, re.sub(r"[^a-z0-9]+", "-", name.lower()))
    made.set("role", "img")
    made.set("aria-label", alt)
    return ET.tostring(made, encoding="unicode")


def _element(old: ET.Element, prefix: str) -> ET.Element:
    """A copy of an element with what draws."""
    tag = _local(old.tag)
    new = ET.Element(tag)
    for name, value in old.attrib.items():
        kept = _attribute(tag, _local(name), value, prefix)
        if kept is not None:
            new.set(_local(name), kept)
    new.text = clean(old.text) if tag in _WRITES and old.text else None
    for child in old:
        if _local(child.tag) in _DRAWS:
            copy = _element(child, prefix)
            copy.tail = clean(child.tail) if tag in _WRITES and child.tail else None
            new.append(copy)
    return new


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _attribute(tag: str, name: str, value: str, prefix: str) -> str | None:
    """The value that an attribute has in the page; None for one that is left out."""
    if name.lower().startswith("on") or _ABROAD.search(value):
        return None
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href":
        if value.startswith("#"):
            return f"#{prefix}-{value[1:]}"
        return value if tag == "image" and _PICTURE.fullmatch(value) else None
    if tag == "svg" and name in ("width", "height", "version"):
        return None
    return _LINK.sub(f"url(#{prefix}-", value)
