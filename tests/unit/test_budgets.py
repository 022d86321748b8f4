"""The line budgets of tools/budgets.py: they see what is too long, and only that."""

from pathlib import Path

import pytest

from tools import budgets


def python_function(lines: int, docstring: int = 0) -> str:
    """Return a function of so many lines, a docstring of so many more among them."""
    text = ['    """What it does.' + "\n" * (docstring - 1) + '"""'] if docstring else []
    return "\n".join(["def f():", *text, *["    x = 1"] * (lines - 1)]) + "\n"


@pytest.mark.parametrize(("lines", "docstring", "expected"), [(40, 0, 0), (41, 0, 1), (40, 30, 0), (41, 30, 1)])
def test_functions_of_python(tmp_path: Path, lines: int, docstring: int, expected: int) -> None:
    path = tmp_path / "a.py"
    path.write_text(python_function(lines, docstring))
    assert len(list(budgets.excesses(path, None))) == expected


CPP = """
#define OPEN {{ (
namespace {{  // a comment with a brace {{ (
template <class T, int N>
struct Tile {{
    T value[N];
    auto sum(const T* x) const -> T {{
        const char* brace = "{{";
        auto add = [&](int i) {{ return x[i]; }};
{body}        return add(1'000) + '{{';
    }}
}};
}}
"""


@pytest.mark.parametrize(("lines", "expected"), [(35, []), (36, [("sum", 7, 41)])])
def test_functions_of_cpp(tmp_path: Path, lines: int, expected: list[tuple[str, int, int]]) -> None:
    path = tmp_path / "a.cpp"
    path.write_text(CPP.format(body="        if (x) { step(); }\n" * lines))
    found = [(excess.what, excess.line, excess.lines) for excess in budgets.excesses(path, None)]
    assert found == expected


@pytest.mark.parametrize(("lines", "expected"), [(250, 0), (251, 1)])
def test_files(tmp_path: Path, lines: int, expected: int) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n" * lines)
    assert len(list(budgets.excesses(path, budgets.PYTHON_LINES))) == expected


def test_every_kind_of_file_is_visited(tmp_path: Path) -> None:
    kernel = tmp_path / "src/kilonet/engine/kernel"
    kernel.mkdir(parents=True)
    (kernel / "a.h").write_text("\n" * 401)
    (kernel / "a.cpp").write_text("\n" * 401)
    (tmp_path / "src/kilonet/b.py").write_text("\n" * 251)
    assert {excess.path.name for excess in budgets.all_excesses(tmp_path)} == {"a.h", "a.cpp", "b.py"}
