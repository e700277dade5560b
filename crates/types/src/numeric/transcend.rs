//! Roots, powers, exponentials and logarithms of `numeric`.
