//! How many files a process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises our limit as far as the system lets us, for us and those we start; answers it.
pub fn allow_many_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    // What cannot be raised is seen when connections are refused.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
