//! `\d` and its kin: catalogs, read by SQL, as psql shows them.

use super::Shell;

impl Shell {
    /// Runs `\d…`, `\l`; none for another command.
    pub(super) fn describe(&mut self, _name: &str, _pattern: Option<&str>) -> Option<bool> {
        None
    }
}
