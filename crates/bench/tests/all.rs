//! The figures from outside. One program for all tests: each would link the whole engine anew.

mod smoke;
mod speedtest;
