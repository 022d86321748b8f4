#!/bin/sh
# Are the system packages here that an environment and a build need? Silent and quick when they are. Missing ones are
# installed where that is safe (root, and CI is set); otherwise the command that installs them is printed and this fails.
# With the argument `tests` the real data that some tests are about are wanted too; those tests are skipped without them.
# It is a shell script because Python itself may be what is missing.
set -u
pictures=/usr/share/datasets/fashion-mnist
python="${PYTHON:-python3}"
cxx="${CXX:-g++}"

has_cxx20() {
    command -v "$cxx" >/dev/null 2>&1 &&
        printf '#include <concepts>\n#include <bit>\nint main() { return std::integral<int> ? 0 : 1; }\n' |
        "$cxx" -std=c++20 -fsyntax-only -x c++ - >/dev/null 2>&1
}

has_python() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

has_venv() {
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1
}

has_headers() {
    "$python" -c 'import pathlib, sys, sysconfig
sys.exit(not (pathlib.Path(sysconfig.get_path("include")) / "Python.h").is_file())' >/dev/null 2>&1
}

missing_packages() {
    has_python || { echo python3 python3-venv python3-dev; has_cxx20 || echo g++; return; }
    has_cxx20 || echo g++
    has_venv || echo python3-venv
    has_headers || echo python3-dev
}

may_install() {
    [ "$(id -u)" = 0 ] && [ -n "${CI:-}" ] && command -v apt-get >/dev/null 2>&1
}

if [ "${1:-}" = tests ] && [ ! -d "$pictures" ]; then
    if may_install; then
        echo "installing real data: dataset-fashion-mnist" >&2
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y dataset-fashion-mnist >&2
    fi
    if [ ! -d "$pictures" ]; then
        echo "Tests on Fashion-MNIST are skipped: $pictures is not there (Debian: sudo apt-get install dataset-fashion-mnist)." >&2
    fi
fi

missing=$(missing_packages | tr '\n' ' ' | sed 's/ *$//')
[ -z "$missing" ] && exit 0

if may_install; then
    echo "installing system packages: $missing" >&2
    # Word splitting is meant: each word is a package.
    # shellcheck disable=SC2086
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >&2 || exit 1
    missing=$(missing_packages | tr '\n' ' ' | sed 's/ *$//')
    [ -z "$missing" ] && exit 0
    echo "after the installation these still do not serve: $missing" >&2
fi

cat >&2 <<MESSAGE
Kilonet needs what these system packages give: $missing
  (Python 3.11 or newer with venv and its C headers, and a compiler for C++20; looked for: $python, $cxx)
On Debian and Ubuntu:
  sudo apt-get install $missing
Another Python or compiler can be named: make PYTHON=python3.12 CXX=clang++ ...
MESSAGE
exit 1
