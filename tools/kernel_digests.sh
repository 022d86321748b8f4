#!/bin/sh
# The kernel's results on x86-64 and on ARM (NEON, in an emulator) must be the same bits.
# Needs g++, and for ARM g++-aarch64-linux-gnu and qemu-user. Usage: tools/kernel_digests.sh [arm]
set -eu
cd "$(dirname "$0")/.."
kernel=src/kilonet/engine/kernel
out=build/digests
mkdir -p "$out"
exact="-std=gnu++20 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -Wno-psabi -Wno-maybe-uninitialized -I$kernel"

build() {  # build COMPILER FOLDER NAME=FLAGS...
    compiler=$1; folder=$out/$2; shift 2
    mkdir -p "$folder"
    objects=
    for variant in "$@"; do
        name=${variant%%=*}
        # shellcheck disable=SC2086
        $compiler $exact ${variant#*=} -c "$kernel/variant_$name.cpp" -o "$folder/$name.o"
        objects="$objects $folder/$name.o"
    done
    # shellcheck disable=SC2086
    $compiler $exact -static -pthread tests/kernel/digests.cpp "$kernel/variants.cpp" $objects -o "$folder/digests"
}

case $(uname -m) in
    x86_64) build g++ here scalar= v3=-march=x86-64-v3 "v4=-march=x86-64-v4 -mprefer-vector-width=512" ;;
    aarch64) build g++ here scalar= neon= ;;
    *) build g++ here scalar= ;;
esac
"$out/here/digests" > "$out/here/lines"
if [ "${1:-}" = arm ]; then
    build aarch64-linux-gnu-g++ arm scalar= neon=
    qemu-aarch64 "$out/arm/digests" > "$out/arm/lines"
    cmp "$out/here/lines" "$out/arm/lines"
    echo "ARM: the same bits in $(wc -l < "$out/here/lines") cases"
fi
