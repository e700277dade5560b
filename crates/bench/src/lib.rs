//! The scripts that are measured and, by tests, compared: what of `bench` others may use.
#![forbid(unsafe_code)]

pub mod speedtest;
