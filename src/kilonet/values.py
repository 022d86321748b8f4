"""Plain frozen values with a name: activations, losses, schedules, optimizers, initializers, layers.

A value is a frozen dataclass. Calling it gives a variant, `leaky_relu(0.2)`; `to_json` and `str`
give a description; a Family turns an object, a text such as "leaky_relu(0.2)" or the JSON
description back into the value. Nothing is ever evaluated: text is parsed into names and literals.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import numpy.typing as npt

from kilonet.checks import REALS, choice, nearest, number, per_member, shown, whole
from kilonet.errors import SettingError

Array = npt.NDArray[Any]

_LONGEST_TEXT = 1000  # a description is one line; anything longer is a mistake or hostile


Check = Mapping[str, Callable[[str, Any], Any]]


def checked(check: Callable[..., Any], *arguments: Any) -> Check:
    """Return the metadata of a field that check(label, setting, *arguments) turns into its plain form."""
    return {"check": lambda label, setting: check(label, setting, *arguments)}


def real(interval: str = REALS) -> Check:
    """Return the metadata of a field that is a number inside an interval."""
    return checked(number, interval)


def real_per_member(interval: str = REALS) -> Check:
    """Return the metadata of a field that is a number inside an interval, or a tuple with one for each member."""
    return checked(per_member, interval)


def counted(interval: str = "[1, inf)") -> Check:
    """Return the metadata of a field that is a whole number inside an interval."""
    return checked(whole, interval)


def chosen(*options: str) -> Check:
    """Return the metadata of a field that is one of the options."""
    return checked(choice, options)


@dataclass(frozen=True, repr=False)
class Value:
    """A frozen dataclass with a name; calling it gives a variant with other settings."""

    name: ClassVar[str] = "value"

    def __post_init__(self) -> None:
        for declared in fields(self):
            if "check" in declared.metadata:
                setting = declared.metadata["check"](f"{self.name}'s {declared.name}", getattr(self, declared.name))
                object.__setattr__(self, declared.name, setting)

    def __call__(self, *arguments: Any, **settings: Any) -> Self:
        """Return a variant: arguments replace the fields in their order, settings by their names."""
        names = [declared.name for declared in fields(self)]
        if len(arguments) > len(names) or not set(settings) <= set(names):
            came = [shown(a) for a in arguments] + [f"{key}={shown(v)}" for key, v in settings.items()]
            takes = f"takes the settings {', '.join(names)}" if names else "takes no settings"
            raise SettingError(f"{self.name} {takes}; came ({', '.join(came)}).")
        twice = set(names[: len(arguments)]) & set(settings)
        if twice:
            raise SettingError(f"{self.name} got {', '.join(sorted(twice))} twice, by place and by name; say it once.")
        changes = dict(zip(names, arguments, strict=False)) | settings
        return replace(self, **changes) if changes else self

    def to_json(self) -> dict[str, Any]:
        """Return {"name": ..., and every field}, ready for json.dumps; the family reads it back."""
        return {"name": self.name} | {f.name: _plain(getattr(self, f.name)) for f in fields(self)}

    def _text(self, name: str) -> str:
        """Write name(settings), leaving out the settings that have their default."""
        parts = []
        for declared in fields(self):
            setting = getattr(self, declared.name)
            if declared.default is MISSING:
                parts.append(repr(setting))
            elif setting != declared.default:
                parts.append(f"{declared.name}={setting!r}")
        return f"{name}({', '.join(parts)})" if parts else name

    def __str__(self) -> str:
        return self._text(self.name)

    def __repr__(self) -> str:
        return self._text(self.name)


def _plain(setting: Any) -> Any:
    """Turn a field into what JSON can hold."""
    if isinstance(setting, Value):
        return setting.to_json()
    if isinstance(setting, tuple):
        return [_plain(part) for part in setting]
    if setting is None or isinstance(setting, bool | int | float | str):
        return setting
    raise SettingError(
        f"{shown(setting)} is an object of your own and has no description; a network or recipe that holds it "
        f"can be trained but not saved. Use one of Kilonet's values to save it."
    )


def _required(value: Value) -> list[str]:
    """Return the names of the fields without a default; they come first."""
    return [declared.name for declared in fields(value) if declared.default is MISSING]


V = TypeVar("V", bound=Value)


class Family(Generic[V]):
    """One kind of values: its table of names, and how a description becomes a value."""

    def __init__(self, kind: str, *values: V) -> None:
        self.kind = kind
        self.table: dict[str, V] = {value.name: value for value in values}

    def parse(self, spec: object) -> V:
        """Return the value that a spec describes: the value itself, its class, a text, or its JSON description.

        Raises SettingError, with the known names, when the spec describes no value of this family.
        """
        types = tuple({type(value) for value in self.table.values()})
        if isinstance(spec, types):
            return spec
        if isinstance(spec, type) and spec in types:
            return next(value for value in self.table.values() if type(value) is spec)
        if isinstance(spec, str):
            return self._from_text(spec)
        if isinstance(spec, Mapping):
            return self._from_json(spec)
        raise self._unknown(spec)

    def _unknown(self, spec: object) -> SettingError:
        hint = nearest(spec, self.table)
        return SettingError(f"unknown {self.kind} {shown(spec)}; needs one of {', '.join(sorted(self.table))}.{hint}")

    def _named(self, name: object, spec: object) -> V:
        plain = name.strip().lower().replace("-", "_") if isinstance(name, str) else ""
        if plain not in self.table:
            raise self._unknown(spec)
        return self.table[plain]

    def _from_json(self, spec: Mapping[Any, Any]) -> V:
        settings = {str(key): setting for key, setting in spec.items() if key != "name"}
        return self._built(self._named(spec.get("name"), spec), [], settings)

    def _built(self, value: V, arguments: list[Any], settings: dict[str, Any]) -> V:
        """Return the variant; the table's own settings stand in only for those that have a default."""
        needed = _required(value)
        missing = set(needed[len(arguments) :]) - set(settings)
        if missing:
            raise SettingError(
                f"the {self.kind} {value.name} came without {', '.join(sorted(missing))}; it needs that."
            )
        return cast(V, value(*arguments, **settings))

    def _from_text(self, text: str) -> V:
        name, bracket, rest = text.strip().partition("(")
        value = self._named(name, text)
        if not bracket:
            return self._built(value, [], {})
        try:
            if len(text) > _LONGEST_TEXT:
                raise SyntaxError
            given, named = _parsed(rest)
            arguments = [_literal(node) for node in given]
            settings = {_name(keyword): _literal(keyword.value) for keyword in named}
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            example = str(value) if fields(value) else value.name
            raise SettingError(
                f"cannot read the {self.kind} {shown(text)}; needs a name with settings, such as "
                f"{value.name}({', '.join(f'{f.name}=...' for f in fields(value))}), or plainly {example}."
            ) from None
        return self._built(value, arguments, settings)


def _parsed(rest: str) -> tuple[list[ast.expr], list[ast.keyword]]:
    """The arguments of what stands behind an opening bracket; pairs such as relu:10 have the grammar of a subscript."""
    try:
        call: ast.expr = ast.parse(f"_({rest}", mode="eval").body
    except SyntaxError:
        if ":" not in rest or not rest.endswith(")"):
            raise
        call = ast.parse(f"_[{rest[:-1]},]", mode="eval").body
    if isinstance(call, ast.Subscript) and isinstance(call.value, ast.Name) and isinstance(call.slice, ast.Tuple):
        return call.slice.elts, []
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise SyntaxError
    return call.args, call.keywords


def _name(keyword: ast.keyword) -> str:
    if keyword.arg is None:  # **settings
        raise SyntaxError
    return keyword.arg


def _literal(node: ast.expr) -> Any:
    """Read a literal; a bare name or a call is kept as text, for the field's own family to read."""
    if isinstance(node, ast.Name | ast.Call):
        return ast.unparse(node)
    if isinstance(node, ast.Tuple | ast.List):
        parts = [_literal(part) for part in node.elts]
        return parts if isinstance(node, ast.List) else tuple(parts)
    if isinstance(node, ast.Slice):
        if node.lower is None or node.upper is None or node.step is not None:
            raise SyntaxError
        return _literal(node.lower), _literal(node.upper)
    return ast.literal_eval(node)
