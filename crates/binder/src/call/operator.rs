//! Operators.

use super::*;

impl Binder<'_> {
    pub(crate) fn operator(&mut self, op: &ast::Operator, args: Vec<Expr>) -> Result<Expr> {
        self.qualified_operator(op.schema.last().map(|s| &**s), &op.name, args, op.pos)
    }

    /// The operator `name` on `args`.
    pub(crate) fn named_operator(&mut self, name: &str, args: Vec<Expr>, pos: Pos) -> Result<Expr> {
        self.qualified_operator(None, name, args, pos)
    }

    pub(super) fn qualified_operator(
        &mut self,
        schema: Option<&str>,
        name: &str,
        args: Vec<Expr>,
        pos: Pos,
    ) -> Result<Expr> {
        // `!=` is another spelling.
        let name = if name == "!=" { "<>" } else { name };
        let kind = if args.len() == 1 { b'l' } else { b'b' };
        let image = self.image;
        // OID, operands and result, function.
        let mut found: Vec<(Oid, [Oid; 3], Oid)> = Vec::new();
        if schema.is_none_or(|s| s == "pg_catalog") {
            let rows = builtin::operators_by_name(name).filter(|o| o.kind == kind);
            found.extend(rows.map(|o| (o.oid, [o.left, o.right, o.result], o.function)));
        }
        let kept = schema.is_some_and(|s| s == "pg_catalog").then(|| crate::lookup::kept_oid(name)).flatten();
        let namespaces: Vec<Oid> = match schema {
            Some(s) => image.namespace_in(s, self.search_path).map(|n| n.oid).into_iter().collect(),
            None => self.search_path.to_vec(),
        };
        if let Some(info) = kept.and_then(|oid| image.operator(oid)) {
            found.push((info.oid, info.types, info.function));
        }
        for namespace in namespaces {
            let own = image.operators_named(name).filter(|o| o.kind == kind && o.namespace == namespace);
            for o in own.filter(|o| !o.function.is_none()) {
                // Among those of the same operands, the one whose schema is searched first.
                if !found.iter().any(|f| f.1[..2] == o.types[..2]) {
                    found.push((o.oid, o.types, o.function));
                }
            }
        }
        let skip = 2 - args.len();
        let candidates: Vec<&[Oid]> = found.iter().map(|f| &f.1[skip..2]).collect();
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let shown = || {
            let left = if skip == 1 { String::new() } else { format!("{} ", self.type_shown(actual[0])) };
            let prefix = schema.filter(|s| *s != "pg_catalog").map_or(String::new(), |s| format!("{s}."));
            format!("{left}{prefix}{name} {}", self.type_shown(actual[actual.len() - 1]))
        };
        match choose(image, &candidates, &actual) {
            Choice::One(i) => {
                let form = CallForm::Operator(found[i].0);
                let shown = shown();
                if image.operator(found[i].0).is_some() {
                    self.routines.push(found[i].0);
                }
                match Proc::by_oid(image, found[i].2) {
                    Some(Proc::User(info)) if Proc::User(info).builtin().is_none() => {
                        self.routine_call(info, candidates[i], args, form, pos)
                    }
                    proc => {
                        let function = proc.and_then(|p| p.builtin()).unwrap_or(found[i].2);
                        self.finish_call(function, candidates[i], args, found[i].1[2], form, pos, &shown)
                    }
                }
            }
            Choice::None => Err(self
                .error(SqlState::UNDEFINED_FUNCTION, format!("operator does not exist: {}", shown()), pos)
                .hint(if skip == 1 {
                    "No operator matches the given name and argument type. You might need to add an explicit type cast."
                } else {
                    "No operator matches the given name and argument types. You might need to add explicit type casts."
                })),
            Choice::Ambiguous => Err(self
                .error(SqlState::AMBIGUOUS_FUNCTION, format!("operator is not unique: {}", shown()), pos)
                .hint("Could not choose a best candidate operator. You might need to add explicit type casts.")),
        }
    }

    /// `left op ANY (array)`, or ALL.
    pub(crate) fn any_array(&mut self, left: Expr, operator: &str, all: bool, array: Expr, pos: Pos) -> Result<Expr> {
        let array = if array.ty == oid::UNKNOWN {
            let element = if left.ty == oid::UNKNOWN { oid::TEXT } else { left.ty };
            let ty = polymorphic::array_of(element).unwrap_or(oid::TEXT_ARRAY);
            self.settle_as(array, ty)?
        } else {
            self.based(array)
        };
        let element = match array.ty {
            oid::INT2VECTOR => Some(oid::INT2),
            oid::OIDVECTOR => Some(oid::OID),
            ty => polymorphic::element_of(ty),
        };
        let Some(element) = element else {
            let message = "op ANY/ALL (array) requires array on right side";
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        };
        // What the operator makes of the element type decides; the array is converted as a whole.
        let stand_in = Expr::column(0, element, -1);
        let test = self.named_operator(operator, vec![left, stand_in], pos)?;
        let ExprKind::Call { function, mut args, form: CallForm::Operator(operator) } = test.kind else {
            return Err(self.unsupported("ANY or ALL with an operator of a user's function", pos));
        };
        if test.ty != oid::BOOL {
            let message = "op ANY/ALL (array) requires operator to yield boolean";
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        let (right, left) = (args.pop(), args.pop());
        let (Some(left), Some(right)) = (left, right) else {
            return Err(SqlError::internal("an operator has operands"));
        };
        let array = if right.ty == element || array.ty == oid::INT2VECTOR || array.ty == oid::OIDVECTOR {
            array
        } else {
            let ty = polymorphic::array_of(right.ty).unwrap_or(array.ty);
            let from = array.ty;
            let converted = self.coerce(array, ty, -1, Context::Explicit)?;
            converted.ok_or_else(|| self.cannot_cast(from, ty).at(self.char_position(pos)))?
        };
        let kind = ExprKind::AnyArray { all, function, operator, args: Box::new([left, array]) };
        Ok(Expr::new(kind, oid::BOOL, self.position(pos)))
    }
}
