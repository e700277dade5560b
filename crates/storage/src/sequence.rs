//! Sequences: numbers that are never handed out twice, not even after a crash or a rollback.
//!
//! A log record promises a whole block of numbers in advance; after a crash the sequence goes on behind the block.

use crate::database::Database;
use crate::error::Result;
use crate::ids::Xid;
use crate::relation::Relation;
use crate::wal::Record;

/// Numbers promised by one log record, the one asked for and 32 more, as PostgreSQL does.
const LOG_AHEAD: u32 = 33;

/// The rules of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceRules {
    /// Step.
    pub increment: i64,
    /// Lowest number.
    pub min: i64,
    /// Highest number.
    pub max: i64,
    /// Whether it starts again at the other end.
    pub cycle: bool,
}

/// Why a sequence gave no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// It reached its maximum.
    Max,
    /// It reached its minimum.
    Min,
}

/// The number after `last`.
fn step(last: i64, called: bool, rules: &SequenceRules) -> Result<i64, Exhausted> {
    if !called {
        return Ok(last);
    }
    match last.checked_add(rules.increment).filter(|n| (rules.min..=rules.max).contains(n)) {
        Some(next) => Ok(next),
        None if rules.cycle => Ok(if rules.increment > 0 { rules.min } else { rules.max }),
        None if rules.increment > 0 => Err(Exhausted::Max),
        None => Err(Exhausted::Min),
    }
}

/// Hands out the next number.
///
/// # Errors
/// What logging says; the inner error when the sequence is at its end.
pub fn next(db: &Database, rel: &Relation, rules: &SequenceRules) -> Result<Result<i64, Exhausted>> {
    let mut state = rel.sequence().lock();
    let number = match step(state.last, state.called, rules) {
        Ok(number) => number,
        Err(end) => return Ok(Err(end)),
    };
    if state.logged_ahead == 0 {
        let (mut ahead, mut count) = (number, 1);
        while count < LOG_AHEAD
            && let Some(n) = ahead.checked_add(rules.increment).filter(|n| (rules.min..=rules.max).contains(n))
        {
            ahead = n;
            count += 1;
        }
        log(db, rel, ahead, true)?;
        (state.durable_last, state.durable_called) = (ahead, true);
        state.logged_ahead = count;
        rel.touch();
    }
    state.logged_ahead -= 1;
    (state.last, state.called) = (number, true);
    Ok(Ok(number))
}

/// Sets the sequence, as `setval` does.
///
/// # Errors
/// What logging says.
pub fn set(db: &Database, rel: &Relation, last: i64, called: bool) -> Result<()> {
    let mut state = rel.sequence().lock();
    log(db, rel, last, called)?;
    (state.last, state.called, state.logged_ahead) = (last, called, 0);
    (state.durable_last, state.durable_called) = (last, called);
    drop(state);
    rel.touch();
    Ok(())
}

/// Last number and whether it was handed out.
pub fn current(rel: &Relation) -> (i64, bool) {
    let state = rel.sequence().lock();
    (state.last, state.called)
}

/// How many numbers it may still hand out without a log record.
pub fn logged_ahead(rel: &Relation) -> u32 {
    rel.sequence().lock().logged_ahead
}

/// Takes back what was promised and not handed out, before the last checkpoint.
pub(crate) fn settle(rel: &Relation) {
    let mut state = rel.sequence().lock();
    if (state.durable_last, state.durable_called) == (state.last, state.called) {
        return;
    }
    (state.durable_last, state.durable_called, state.logged_ahead) = (state.last, state.called, 0);
    drop(state);
    rel.touch();
}

fn log(db: &Database, rel: &Relation, last: i64, called: bool) -> Result<()> {
    if rel.is_logged() {
        let record = Record::SequenceSet { db: db.id, rel: rel.id, last: last as u64, called: u16::from(called) };
        db.shared().log.append(Xid(0), &record)?;
    }
    Ok(())
}

/// Sets what recovery found.
pub(crate) fn restore(rel: &Relation, last: i64, called: bool) {
    let mut state = rel.sequence().lock();
    (state.last, state.called, state.logged_ahead) = (last, called, 0);
    (state.durable_last, state.durable_called) = (last, called);
    drop(state);
    rel.touch();
}
