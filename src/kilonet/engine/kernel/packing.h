// The two packings: what a vector holds, and where in memory that lies.
//
// "columns": neighbouring columns of one network, for a wide or a single one. "networks": one column
// of as many networks as there are lanes, for a population of equal shape; nothing is padded, and no
// sum crosses a lane. Everything that computes takes one of these as its template argument P and
// asks it where things are; the mathematics is the same.
#pragma once
#include "functions.h"

namespace kilonet {
namespace {

template <class Number>
struct Columns {
    using T = Number;
    static constexpr bool networks = false;
    static constexpr long members = 1;
    static constexpr long group = kilonet::group<T>;                                        // entries of W side by side
    static constexpr long vectors(long columns) { return (columns + lanes<T> - 1) / lanes<T>; }  // that hold so many columns
};

template <class Number>
struct Networks {
    using T = Number;
    static constexpr bool networks = true;
    static constexpr long members = lanes<T>;
    static constexpr long group = lanes<T>;
    static constexpr long vectors(long columns) { return columns; }
};

// A value for every member, in the lanes that are its own.
template <class P, class F>
INLINE Vec<typename P::T> spread(F value) {
    using T = typename P::T;
    if constexpr (!P::networks) {
        return all<T>(value(0));
    } else {
        T each[lanes<T>];
        for (long m = 0; m < lanes<T>; m++) each[m] = value(m);
        return load<T>(each);
    }
}

}  // namespace
}  // namespace kilonet
