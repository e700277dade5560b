//! `Call`: what a function knows of the call it serves.

use std::any::Any;

use types::io::{TypeKind, TypeLookup};
use types::{Datum, IoSettings, Oid, Physical, Result};

use crate::host::Host;

/// One call, or one run of a kernel.
pub struct Call<'a> {
    /// The session.
    pub host: &'a mut dyn Host,
    /// Settings that text forms depend on.
    pub settings: &'a IoSettings,
    /// What the catalog knows about types.
    pub types: &'a dyn TypeLookup,
    /// Types of the arguments as they came (of polymorphic and `"any"` parameters: the actual ones).
    pub arg_types: &'a [Oid],
    /// Type of the result.
    pub result_type: Oid,
    /// Collation to compare by.
    pub collation: Oid,
    /// Whether the last argument was given as `VARIADIC array`.
    pub variadic: bool,
    /// Names of the columns of a result of several, or of a row argument, where the caller knows them.
    pub columns: &'a [(String, Oid)],
    /// Direct arguments of an ordered-set aggregate.
    pub direct_args: &'a [Datum],
    /// What the function keeps from one row to the next, such as a compiled pattern.
    pub memo: Option<Box<dyn Any + Send>>,
}

impl<'a> Call<'a> {
    /// A call without types.
    pub fn new(host: &'a mut dyn Host, settings: &'a IoSettings, types: &'a dyn TypeLookup) -> Call<'a> {
        Call {
            host,
            settings,
            types,
            arg_types: &[],
            result_type: Oid::NONE,
            collation: types::oid::DEFAULT_COLLATION,
            variadic: false,
            columns: &[],
            direct_args: &[],
            memo: None,
        }
    }

    /// The same with the types of its arguments and result.
    #[must_use]
    pub fn typed(mut self, arg_types: &'a [Oid], result_type: Oid) -> Call<'a> {
        (self.arg_types, self.result_type) = (arg_types, result_type);
        self
    }

    /// The type of argument `i`, `unknown` when the caller did not say.
    pub fn arg_type(&self, i: usize) -> Oid {
        self.arg_types.get(i).copied().unwrap_or(types::oid::UNKNOWN)
    }

    /// The physical form of values of a type, a user's too.
    pub fn physical(&self, type_oid: Oid) -> Physical {
        let mut t = type_oid;
        for _ in 0..64 {
            if t < Oid::FIRST_NORMAL {
                break;
            }
            match self.types.kind(t) {
                TypeKind::Enum => return Physical::U32,
                TypeKind::Domain { base, .. } => t = base,
                _ => return Physical::Var,
            }
        }
        Physical::of(t)
    }

    /// A value's text form.
    ///
    /// # Errors
    /// What the type says.
    pub fn text_of(&self, type_oid: Oid, value: &Datum) -> Result<String> {
        let mut out = Vec::new();
        types::io::text_out_with(type_oid, value, self.settings, self.types, &mut out)?;
        Ok(String::from_utf8(out).unwrap_or_default())
    }

    /// A value read from text.
    ///
    /// # Errors
    /// What the type says.
    pub fn value_of(&self, type_oid: Oid, typmod: i32, text: &str) -> Result<Datum> {
        types::io::text_in_with(type_oid, typmod, text, self.settings, self.types)
    }

    /// The memo, made by `make` when there is none of this type that `fits`.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn memo<T: Any + Send>(
        &mut self,
        fits: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<&mut T> {
        let there = self.memo.as_ref().and_then(|m| m.downcast_ref::<T>()).is_some_and(fits);
        if !there {
            self.memo = Some(Box::new(make()?));
        }
        match self.memo.as_mut().and_then(|m| m.downcast_mut::<T>()) {
            Some(m) => Ok(m),
            None => Err(types::SqlError::internal("a memo vanished")),
        }
    }
}
