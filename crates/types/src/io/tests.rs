//! Tests against recorded vectors.
