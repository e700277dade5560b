//! Advisory locks.

use ext::host::{AdvisoryKey, AdvisoryRequest};
use ext::{Call, Void};
use types::{Result, SqlError};

/// What a function does to an advisory lock: shared, until the transaction ends, without waiting, give back.
#[derive(Debug)]
pub struct Lock<const SHARED: bool, const TRANSACTION: bool, const NO_WAIT: bool, const UNLOCK: bool>;

/// See [`Lock`].
pub trait Requested {
    /// The request.
    const REQUEST: AdvisoryRequest;
}

impl<const S: bool, const T: bool, const N: bool, const U: bool> Requested for Lock<S, T, N, U> {
    const REQUEST: AdvisoryRequest = AdvisoryRequest { shared: S, transaction: T, no_wait: N, unlock: U };
}

/// Who gives back what it does not have is warned.
fn ask(call: &mut Call<'_>, key: AdvisoryKey, request: AdvisoryRequest) -> Result<bool> {
    let done = call.host.advisory_lock(key, request)?;
    if request.unlock && !done {
        let mode = if request.shared { "ShareLock" } else { "ExclusiveLock" };
        call.host.notice(SqlError::warning(format!("you don't own a lock of type {mode}")));
    }
    Ok(done)
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(each(
        Lock<false, false, false, false> = 2880, Lock<true, false, false, false> = 2881,
        Lock<false, true, false, false> = 3089, Lock<true, true, false, false> = 3090
    ), volatile)]
    pub fn lock_one<K: Requested>(call: &mut Call<'_>, key: i64) -> Result<Void> {
        call.host.advisory_lock(AdvisoryKey::One(key), K::REQUEST).map(|_| Void)
    }

    #[ext::function(each(
        Lock<false, false, false, false> = 2886, Lock<true, false, false, false> = 2887,
        Lock<false, true, false, false> = 3093, Lock<true, true, false, false> = 3094
    ), volatile)]
    pub fn lock_two<K: Requested>(call: &mut Call<'_>, a: i32, b: i32) -> Result<Void> {
        call.host.advisory_lock(AdvisoryKey::Two(a, b), K::REQUEST).map(|_| Void)
    }

    #[ext::function(each(
        Lock<false, false, true, false> = 2882, Lock<true, false, true, false> = 2883,
        Lock<false, true, true, false> = 3091, Lock<true, true, true, false> = 3092,
        Lock<false, false, false, true> = 2884, Lock<true, false, false, true> = 2885
    ), volatile)]
    pub fn try_one<K: Requested>(call: &mut Call<'_>, key: i64) -> Result<bool> {
        ask(call, AdvisoryKey::One(key), K::REQUEST)
    }

    #[ext::function(each(
        Lock<false, false, true, false> = 2888, Lock<true, false, true, false> = 2889,
        Lock<false, true, true, false> = 3095, Lock<true, true, true, false> = 3096,
        Lock<false, false, false, true> = 2890, Lock<true, false, false, true> = 2891
    ), volatile)]
    pub fn try_two<K: Requested>(call: &mut Call<'_>, a: i32, b: i32) -> Result<bool> {
        ask(call, AdvisoryKey::Two(a, b), K::REQUEST)
    }

    #[ext::function(oid = 2892, volatile)]
    pub fn unlock_all(call: &mut Call<'_>) -> Result<Void> {
        let request = AdvisoryRequest { shared: false, transaction: false, no_wait: false, unlock: true };
        call.host.advisory_lock(AdvisoryKey::All, request).map(|_| Void)
    }
}
