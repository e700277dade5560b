//! Arithmetic of dates, timestamps and intervals.
