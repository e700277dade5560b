//! Storage from outside. One program for all tests: each would link the whole engine anew.

mod crash;
mod rot;
mod schedules;
