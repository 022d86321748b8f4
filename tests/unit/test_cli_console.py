"""What is printed: safe for the terminal, true to the numbers, and on the right stream."""

import io
import json
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilonet.cli import main
from kilonet.cli.console import Console, brief, listed, number, plain, size
from kilonet.cli.jsonable import to_json
from kilonet.numerals import percent


@given(st.text())
def test_nothing_that_moves_the_cursor_is_ever_printed(text):
    printed = plain(text)
    assert all(letter.isprintable() or letter == "\n" for letter in printed)
    assert "\n" not in brief(text)


def test_messages_have_an_end():
    assert len(plain("x" * 10**6)) < 5000
    assert len(brief("x" * 1000)) == 40


@given(st.floats(0, 1))
def test_a_percentage_reads_100_only_for_all_and_0_only_for_none(share):
    text = percent(share)
    assert text.endswith("%")
    if share not in (0, 1):
        assert 0 < float(text[:-1]) < 100


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-2.5, "-2.5"),
        (1e7, "10,000,000"),
        (9271.4, "9,271"),
        (1e20, "1e+20"),
        (np.inf, "inf"),
        (1e-9, "1e-09"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_names_with_commas_are_told_apart():
    assert listed(["gas", "wood, other"]) == 'gas, "wood, other"'


def test_sizes():
    assert [size(n) for n in (1, 999, 33_400, 1_250_000)] == ["1 byte", "999 bytes", "33 kB", "1.2 MB"]


def test_json_has_no_nan_and_keeps_the_digits_of_float32():
    value = {
        "a": np.float32(0.1),
        "b": [np.nan, np.inf],
        "c": np.array([1, 2]),
        "d": (np.True_, None, "x"),
        1: np.int8(3),
    }
    assert json.loads(to_json(value)) == {"a": 0.1, "b": [None, None], "c": [1, 2], "d": [True, None, "x"], "1": 3}


def test_streams(capsys):
    console = Console()
    console.say("read", "1 row")
    console.result("held out", "loss 1")
    console.warn("careful")
    out, err = capsys.readouterr()
    assert out == "held out   loss 1\n"
    assert err == "read       1 row\nWarning: careful.\n"


def test_quiet_silences_the_story_but_no_warning(capsys):
    console = Console(quiet=True)
    console.say("read", "1 row")
    console.warn("careful")
    assert capsys.readouterr() == ("", "Warning: careful.\n")


def test_warnings_are_said_once_and_remembered(capsys):
    console = Console()
    with console.warnings(RuntimeWarning):
        for _ in range(3):
            warnings.warn("unseen", UserWarning, stacklevel=1)
        warnings.warn("unseen", UserWarning, stacklevel=1)  # from another place
        warnings.warn("hidden", RuntimeWarning, stacklevel=1)
        warnings.warn("for programmers", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "Warning: unseen.\n"
    assert console.saw(RuntimeWarning)
    assert not console.saw(SyntaxWarning)


def test_a_terminal_gets_lines_that_break_between_words(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "50")
    Console().say("read", "word " * 20)
    lines = terminal.getvalue().splitlines()
    assert len(lines) > 1
    assert all(line.startswith(" " * 11) for line in lines[1:])


def test_ctrl_c_while_the_command_line_is_imported(monkeypatch, capsys):
    class Pressed:
        def find_spec(self, name, *_):
            if name == "kilonet.cli.commands":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "kilonet.cli.commands", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Pressed(), *sys.meta_path])
    assert main(["--version"]) == 130
    assert capsys.readouterr().err == "Error: interrupted before anything was done; nothing was saved.\n"


def test_ctrl_c_while_a_command_works(monkeypatch, capsys):
    def load(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kilonet.cli.show.load", load)
    assert main(["show", "a.kn"]) == 130
    assert "Error: interrupted; nothing was saved." in capsys.readouterr().err


def test_ctrl_c_when_all_is_done_says_nothing_of_what_was_saved(monkeypatch, capsys):
    def flush():
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sys.stdout, "flush", flush)
        assert main(["--version"]) == 130
    assert capsys.readouterr().err == "Error: interrupted.\n"
