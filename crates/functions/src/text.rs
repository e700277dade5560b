//! Functions on text.

#[ext::module]
pub(crate) mod functions {
    #[ext::function(oid = [1257, 1317, 1369, 1381])]
    pub fn length(v: &str) -> i32 {
        v.chars().count() as i32
    }
}
