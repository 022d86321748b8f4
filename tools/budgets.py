"""Keep functions and files small enough to be read in one go.

A function has at most 40 lines, from `def` to its last line, its docstring not counted: documentation
is not to be saved on. A Python file of the package has at most 250 lines, a kernel file at most 400.
Exit status 1 and one line for each excess when a budget is broken.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FUNCTION_LINES = 40
PYTHON_LINES = 250
KERNEL_LINES = 400

CPP_NOISE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"""
    r"|^[ \t]*\#(?:\\\n|[^\n])*",
    re.DOTALL | re.MULTILINE,
)
CPP_TEMPLATE = re.compile(r"template\s*<[^;{}()]*>")
CPP_CONTAINER = re.compile(r"\s*(?:(?:inline|static|typedef|const)\s+)*(?:namespace|struct|class|union|enum)\b")


@dataclass(frozen=True)
class Excess:
    """Something longer than its budget; `line` counts from 1."""

    path: Path
    line: int
    what: str
    lines: int
    budget: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what} has {self.lines} lines; the budget is {self.budget}"


def python_functions(source: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, first line and number of lines (docstring not counted) of every function, nested ones too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            yield node.name, node.lineno, lines


def without_noise(source: str) -> str:
    """Blank out comments, strings and preprocessor lines of C++, keeping every line break."""
    return CPP_NOISE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)


def cpp_functions(source: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, first line and number of lines of every C++ function; lambdas count with the function around them.

    A brace outside of any function opens a function when parentheses stand before it and no namespace, class or
    initializer does.
    """
    text = without_noise(source)
    depth, function_depth, start, name = 0, None, 0, ""
    head = 0  # where the declaration before the next brace begins
    for match in re.finditer(r"[{};]", text):
        sign, place = match[0], match.start()
        if sign == "{":
            declaration = text[head:place]
            if function_depth is None and "(" in declaration and not is_container(declaration):
                function_depth, start, name = depth, head + len(declaration) - len(declaration.lstrip()), declaration
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == function_depth:
                first, last = text.count("\n", 0, start) + 1, text.count("\n", 0, place) + 1
                yield cpp_name(name), first, last - first + 1
                function_depth = None
        head = place + 1


def is_container(declaration: str) -> bool:
    """Return whether the brace after this declaration opens a namespace or a type."""
    return CPP_CONTAINER.match(CPP_TEMPLATE.sub(" ", declaration)) is not None


def cpp_name(declaration: str) -> str:
    """Return the name in front of the first parenthesis of a declaration."""
    plain = re.sub(r"__attribute__\s*\(\(.*?\)\)|\b(?:requires|alignas|decltype)\s*\(", " ", declaration)
    found = re.search(r"([\w:~]+|operator\s*\S+?)\s*\(", plain)
    return found[1] if found else "function"


def excesses(path: Path, file_budget: int | None) -> Iterator[Excess]:
    """Yield what is too long in one file; without a budget for the file only its functions are measured."""
    source = path.read_text(encoding="utf-8")
    lines = len(source.splitlines())
    if file_budget is not None and lines > file_budget:
        yield Excess(path, 1, "file", lines, file_budget)
    functions = python_functions if path.suffix == ".py" else cpp_functions
    for name, line, length in functions(source):
        if length > FUNCTION_LINES:
            yield Excess(path, line, name, length, FUNCTION_LINES)


def all_excesses(root: Path) -> Iterator[Excess]:
    """Yield every excess of the project."""
    kernel = root / "src/kilonet/engine/kernel"
    groups: list[tuple[Path, str, int | None]] = [
        (root / "src", "*.py", PYTHON_LINES),
        (kernel, "*.h", KERNEL_LINES),
        (kernel, "*.cpp", KERNEL_LINES),
        (root / "tools", "*.py", PYTHON_LINES),
        (root / "benchmarks", "*.py", PYTHON_LINES),
        (root / "tests", "*.py", None),
    ]
    for folder, pattern, budget in groups:
        for path in sorted(folder.rglob(pattern)):
            yield from excesses(path, budget)


def main() -> int:
    """Print every excess; return the exit status."""
    found = list(all_excesses(Path(__file__).parents[1]))
    for excess in found:
        print(excess)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
