//! Type names and their modifiers.

use catalog::builtin;
use syntax::ast::{self, Literal, Pos, TypeName};
use types::{Oid, Result, SqlState, oid};

use crate::Binder;

impl Binder<'_> {
    /// The type that `name` means, with its typmod.
    ///
    /// # Errors
    /// `42704`; what is wrong with its modifiers.
    pub fn type_name(&self, name: &TypeName) -> Result<(Oid, i32)> {
        let shown = name.names.iter().map(|n| &**n).collect::<Vec<_>>().join(".");
        let last = name.names.last().map_or("", |n| &**n);
        let in_catalog = name.names.len() == 1 || &*name.names[0] == "pg_catalog";
        if name.setof || name.pct_type {
            return Err(self.unsupported("SETOF or %TYPE here", name.pos));
        }
        let Some(row) = builtin::type_by_name(last).filter(|_| in_catalog) else {
            let schema = name.names.len().checked_sub(2).map(|i| &*name.names[i]);
            let kept = crate::lookup::kept_oid(last).filter(|ty| in_catalog && self.image.type_by_oid(*ty).is_some());
            let found = kept.or_else(|| self.names().user_type(schema, last)).ok_or_else(|| match schema {
                Some(schema) if self.image.namespace(schema).is_none() => {
                    self.error(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{schema}\" does not exist"), name.pos)
                }
                _ => self.error(SqlState::UNDEFINED_OBJECT, format!("type \"{shown}\" does not exist"), name.pos),
            })?;
            if let Some(typmod) = name.typmods.first() {
                let message = format!("type modifier is not allowed for type \"{last}\"");
                return Err(self.error(SqlState::SYNTAX_ERROR, message, typmod.pos));
            }
            let ty = if name.array_bounds.is_empty() { found } else { found.user_array().unwrap_or(found) };
            return Ok((ty, -1));
        };
        let ty = if name.array_bounds.is_empty() { row.oid } else { row.array };
        let mut numbers = Vec::new();
        for typmod in &name.typmods {
            match &typmod.kind {
                ast::ExprKind::Literal(Literal::Integer(n)) => numbers.push(*n),
                _ => {
                    let message = "type modifiers must be simple constants or identifiers";
                    return Err(self.error(SqlState::SYNTAX_ERROR, message, typmod.pos));
                }
            }
        }
        let typmod = self.typmod(row.oid, &numbers, name.pos)?;
        Ok((ty, typmod))
    }

    fn typmod(&self, ty: Oid, numbers: &[i32], pos: Pos) -> Result<i32> {
        let invalid = |message: String| Err(self.error(SqlState::INVALID_PARAMETER_VALUE, message, pos));
        match (ty, numbers) {
            (_, []) => Ok(-1),
            (oid::VARCHAR | oid::BPCHAR, &[n]) => {
                let name = if ty == oid::VARCHAR { "varchar" } else { "char" };
                match n {
                    n if n < 1 => invalid(format!("length for type {name} must be at least 1")),
                    n if n > 10_485_760 => invalid(format!("length for type {name} cannot exceed 10485760")),
                    n => Ok(n + 4),
                }
            }
            (oid::NUMERIC, &[precision]) if (1..=1000).contains(&precision) => Ok((precision << 16) + 4),
            (oid::NUMERIC, &[precision, scale])
                if (1..=1000).contains(&precision) && (-1000..=1000).contains(&scale) =>
            {
                Ok(((precision << 16) | (scale & 0x7ff)) + 4)
            }
            (oid::NUMERIC, &[precision, ..]) if !(1..=1000).contains(&precision) => {
                invalid(format!("NUMERIC precision {precision} must be between 1 and 1000"))
            }
            (oid::NUMERIC, &[_, scale]) => invalid(format!("NUMERIC scale {scale} must be between -1000 and 1000")),
            (oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ, &[n]) => Ok(n.clamp(0, 6)),
            (oid::BIT | oid::VARBIT, &[n]) if n >= 1 => Ok(n),
            (oid::INTERVAL, &[mask]) => Ok((mask << 16) | 0xffff),
            (oid::INTERVAL, &[mask, precision]) => Ok((mask << 16) | precision.clamp(0, 6)),
            _ => Err(self.error(SqlState::SYNTAX_ERROR, "invalid type modifier", pos)),
        }
    }
}
