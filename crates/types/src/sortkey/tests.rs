//! Keys order as values do.
