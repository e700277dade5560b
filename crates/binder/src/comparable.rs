//! Types whose values cannot be told apart, or have no order: what groups or sorts by them is refused.

use syntax::ast::Pos;
use types::{Oid, Result, SqlState, oid};

use crate::{Binder, polymorphic};

/// Types without operator class for B-trees or hashing: `xml`, `json`, `jsonpath`, and the shapes.
const WITHOUT_EQUALITY: [Oid; 10] =
    [Oid(142), oid::JSON, Oid(4072), Oid(600), Oid(601), Oid(602), Oid(603), Oid(604), Oid(628), Oid(718)];

/// Types that hash, but have no operator class for B-trees: `xid`, `cid`, `aclitem`.
const WITHOUT_ORDER: [Oid; 3] = [Oid(28), Oid(29), Oid(1033)];

impl Binder<'_> {
    /// The type that decides how values of `ty` compare: that of an array's elements, or a domain's base.
    fn compared(&self, ty: Oid) -> Oid {
        let base = self.image.base_type(ty).0;
        polymorphic::element_of(base).map_or(base, |element| self.image.base_type(element).0)
    }

    /// Fails where values of `ty` cannot be told apart.
    pub(crate) fn needs_equality(&self, ty: Oid, pos: Pos) -> Result<()> {
        if !WITHOUT_EQUALITY.contains(&self.compared(ty)) {
            return Ok(());
        }
        let message = format!("could not identify an equality operator for type {}", self.type_shown(ty));
        Err(self.error(SqlState::UNDEFINED_FUNCTION, message, pos))
    }

    /// Fails where values of `ty` have no order.
    pub(crate) fn needs_order(&self, ty: Oid, pos: Pos) -> Result<()> {
        let compared = self.compared(ty);
        if !WITHOUT_EQUALITY.contains(&compared) && !WITHOUT_ORDER.contains(&compared) {
            return Ok(());
        }
        let message = format!("could not identify an ordering operator for type {}", self.type_shown(ty));
        Err(self
            .error(SqlState::UNDEFINED_FUNCTION, message, pos)
            .hint("Use an explicit ordering operator or modify the query."))
    }
}
