//! Sequences, and the columns that own them.

use catalog::stored::{PG_CLASS, PG_DEPEND, PG_SEQUENCE};
use storage::lock::Mode;
use storage::{RelId, RelKind, RelMeta};
use syntax::ast::{AlterSequence, CreateSequence, QualifiedName, RangeVar, SequenceOption, SequenceOptionKind};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::table::NewColumn;
use super::temporary::stored_as;
use super::{NewClass, Target, names, refuse};
use crate::session::{Session, Sink};

/// The rules of a sequence.
#[derive(Clone, Debug)]
pub struct Rules {
    ty: Oid,
    increment: i64,
    min: i64,
    max: i64,
    start: i64,
    cache: i64,
    cycle: bool,
    owned_by: Option<QualifiedName>,
    restart: Option<Option<i64>>,
    name: Option<QualifiedName>,
}

impl Rules {
    /// What `pg_sequence` says of it, but for which sequence it is.
    fn fields(&self) -> [(&'static str, Datum); 7] {
        [
            ("seqtypid", Datum::from(self.ty)),
            ("seqstart", Datum::I64(self.start)),
            ("seqincrement", Datum::I64(self.increment)),
            ("seqmax", Datum::I64(self.max)),
            ("seqmin", Datum::I64(self.min)),
            ("seqcache", Datum::I64(self.cache)),
            ("seqcycle", Datum::Bool(self.cycle)),
        ]
    }

    /// What a row of `pg_sequence` says.
    pub fn of(row: catalog::Fields<'_>) -> Rules {
        Rules {
            ty: row.oid("seqtypid"),
            increment: row.int("seqincrement"),
            min: row.int("seqmin"),
            max: row.int("seqmax"),
            start: row.int("seqstart"),
            cache: row.int("seqcache"),
            cycle: row.bool("seqcycle"),
            ..Rules::default()
        }
    }
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            ty: oid::INT8,
            increment: 1,
            min: 1,
            max: i64::MAX,
            start: 1,
            cache: 1,
            cycle: false,
            owned_by: None,
            restart: None,
            name: None,
        }
    }
}

fn range_of(ty: Oid) -> (i64, i64) {
    match ty {
        oid::INT2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        oid::INT4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn number(text: &str) -> Result<i64> {
    text.replace('_', "").parse().map_err(|_| {
        SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type bigint"))
    })
}

impl Rules {
    /// The rules that `options` say, of a sequence whose values are of type `ty`.
    ///
    /// # Errors
    /// What contradicts itself.
    pub fn parse(options: &[SequenceOption], ty: Oid, sql: &str) -> Result<Rules> {
        let mut rules = Rules { ty, ..Rules::default() };
        let (mut min, mut max, mut start) = (None, None, None);
        rules.take(options, sql, &mut min, &mut max, &mut start)?;
        rules.settle(min, max, start)
    }

    fn take(
        &mut self,
        options: &[SequenceOption],
        sql: &str,
        min: &mut Option<i64>,
        max: &mut Option<i64>,
        start: &mut Option<i64>,
    ) -> Result<()> {
        use SequenceOptionKind as Kind;
        for option in options {
            match &option.kind {
                Kind::As(ty) => {
                    self.ty = match ty.names.last().map_or("", |n| &**n) {
                        "int2" => oid::INT2,
                        "int4" => oid::INT4,
                        "int8" => oid::INT8,
                        _ => return Err(invalid("sequence type must be smallint, integer, or bigint")),
                    };
                }
                Kind::Cache(n) => {
                    self.cache = number(n)?;
                    if self.cache < 1 {
                        return Err(invalid(format!("CACHE ({}) must be greater than zero", self.cache)));
                    }
                }
                Kind::Cycle(cycle) => self.cycle = *cycle,
                Kind::Increment(n) => {
                    self.increment = number(n)?;
                    if self.increment == 0 {
                        return Err(invalid("INCREMENT must not be zero"));
                    }
                }
                Kind::MaxValue(n) => *max = n.as_ref().map(|n| number(n)).transpose()?,
                Kind::MinValue(n) => *min = n.as_ref().map(|n| number(n)).transpose()?,
                Kind::OwnedBy(name) => self.owned_by = Some(name.clone()),
                Kind::SequenceName(name) => self.name = Some(name.clone()),
                Kind::Start(n) => *start = Some(number(n)?),
                Kind::Restart(n) => self.restart = Some(n.as_ref().map(|n| number(n)).transpose()?),
                Kind::Logged(false) => return refuse("UNLOGGED sequences", option.pos, sql),
                Kind::Logged(true) => {}
            }
        }
        Ok(())
    }

    fn settle(mut self, min: Option<i64>, max: Option<i64>, start: Option<i64>) -> Result<Rules> {
        let (low, high) = range_of(self.ty);
        let up = self.increment > 0;
        self.min = min.unwrap_or(if up { 1 } else { low });
        self.max = max.unwrap_or(if up { high } else { -1 });
        let name = binder::format_type(self.ty);
        if !(low..=high).contains(&self.max) {
            return Err(invalid(format!("MAXVALUE ({}) is out of range for sequence data type {name}", self.max)));
        }
        if !(low..=high).contains(&self.min) {
            return Err(invalid(format!("MINVALUE ({}) is out of range for sequence data type {name}", self.min)));
        }
        if self.min >= self.max {
            return Err(invalid(format!("MINVALUE ({}) must be less than MAXVALUE ({})", self.min, self.max)));
        }
        self.start = start.unwrap_or(if up { self.min } else { self.max });
        self.check_within(self.start, "START")?;
        Ok(self)
    }

    fn check_within(&self, value: i64, what: &str) -> Result<()> {
        if value < self.min {
            return Err(invalid(format!("{what} value ({value}) cannot be less than MINVALUE ({})", self.min)));
        }
        if value > self.max {
            return Err(invalid(format!("{what} value ({value}) cannot be greater than MAXVALUE ({})", self.max)));
        }
        Ok(())
    }
}

impl Session {
    pub(crate) fn create_sequence(
        &mut self,
        sql: &str,
        create: &CreateSequence,
        sink: &mut dyn Sink,
    ) -> Result<String> {
        let rules = Rules::parse(&create.options, oid::INT8, sql)?;
        let target = self.target(sql, &create.relation, create.persistence)?;
        let namespace = target.namespace;
        let name = create.relation.name.as_str();
        if !self.claim_name(namespace, name, create.if_not_exists, sink)? {
            return Ok("CREATE SEQUENCE".to_owned());
        }
        let sequence = self.make_sequence(target, name, &rules)?;
        if let Some(owner) = &rules.owned_by {
            self.set_sequence_owner(sql, sequence, owner)?;
        }
        Ok("CREATE SEQUENCE".to_owned())
    }

    fn make_sequence(&mut self, target: Target, name: &str, rules: &Rules) -> Result<Oid> {
        let Target { namespace, persistence } = target;
        let (db, sequence) = (self.db.clone(), self.new_oid()?);
        let mut meta = RelMeta::new(RelId(sequence.0), RelKind::Sequence, stored_as(persistence), Vec::new());
        meta.last = rules.start;
        db.create_relation(self.txn_mut(), meta)?;
        let owner = self.user.oid;
        self.add_class(&NewClass {
            oid: sequence,
            name,
            namespace,
            owner,
            kind: b'S',
            columns: 3,
            access_method: Oid::NONE,
            persistence,
        })?;
        let row = [&[("seqrelid", Datum::from(sequence))], &rules.fields()[..]].concat();
        self.add_row(PG_SEQUENCE, &row)?;
        self.depend(Address::relation(sequence), Address::schema(namespace), b'n')?;
        Ok(sequence)
    }

    /// Gives a sequence new storage, in which it begins at `start`.
    pub(super) fn new_sequence_storage(&mut self, sequence: Oid, old: RelId, start: i64) -> Result<()> {
        let (db, fresh) = (self.db.clone(), self.new_oid()?);
        let old = db.relation(old)?;
        let mut meta = RelMeta::new(RelId(fresh.0), RelKind::Sequence, old.persistence, Vec::new());
        meta.last = start;
        db.create_relation(self.txn_mut(), meta)?;
        db.drop_relation(self.txn_mut(), &old)?;
        self.change_rows(PG_CLASS, |r| r.oid("oid") == sequence, &[("relfilenode", Datum::from(fresh))])?;
        Ok(())
    }

    /// OWNED BY: the sequence goes with a column. `NONE` is one name.
    fn set_sequence_owner(&mut self, sql: &str, sequence: Oid, owner: &QualifiedName) -> Result<()> {
        self.remove_rows(PG_DEPEND, |r| {
            r.oid("classid") == PG_CLASS && r.oid("objid") == sequence && r.char("deptype") == b'a'
        })?;
        let (column, table) = match &owner[..] {
            [none] if &**none == "none" => return Ok(()),
            [table @ .., column] if !table.is_empty() => (column, table),
            _ => {
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, "invalid OWNED BY option")
                    .hint("Specify OWNED BY table.column or OWNED BY NONE."));
            }
        };
        let Some(name) = table.last() else { return Ok(()) };
        let schema = table.len().checked_sub(2).map(|i| table[i].clone());
        let range = RangeVar { catalog: None, schema, name: name.clone(), only: false, pos: name.pos };
        let info = self.relation(sql, &range, Mode::AccessShare)?;
        let Some(index) = info.columns.iter().position(|c| c.name == column.as_str()) else {
            let message = format!("column \"{}\" of relation \"{}\" does not exist", column.as_str(), info.name);
            return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
        };
        let own = self.info(sequence)?;
        if own.namespace != info.namespace {
            let message = "sequence must be in same schema as table it is linked to";
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        self.depend(Address::relation(sequence), Address::column(info.oid, index), b'a')
    }

    /// Makes the sequence of a `serial` column (`identity` none) or of an identity column.
    pub(super) fn own_sequence(
        &mut self,
        table: Oid,
        index: usize,
        column: &NewColumn<'_>,
        identity: Option<bool>,
    ) -> Result<()> {
        let info = self.info(table)?;
        let name = {
            let image = self.image()?;
            names::for_relation(&image, info.namespace, &info.name, &column.name, "seq")
        };
        let mut rules = column.rules.clone();
        if identity.is_none() {
            rules = Rules { ty: column.ty, max: range_of(column.ty).1, ..Rules::default() };
        }
        let target = Target { namespace: info.namespace, persistence: info.persistence };
        let sequence = self.make_sequence(target, &name, &rules)?;
        self.depend(
            Address::relation(sequence),
            Address::column(table, index),
            if identity.is_some() { b'i' } else { b'a' },
        )?;
        // An identity column draws from its sequence by that dependency alone.
        if identity.is_some() {
            return Ok(());
        }
        // By its OID, which does not change with its name.
        self.keep_default(table, index, &format!("nextval('{sequence}'::regclass)"), &[sequence])
    }

    pub(crate) fn alter_sequence(&mut self, sql: &str, alter: &AlterSequence, sink: &mut dyn Sink) -> Result<String> {
        let Some(info) = self.find_relation(&alter.relation, Mode::ShareRowExclusive)? else {
            let name = alter.relation.name.as_str();
            if alter.if_exists {
                super::notice(sink, SqlState::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist, skipping"));
                return Ok("ALTER SEQUENCE".to_owned());
            }
            return Err(SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist")));
        };
        let Some(old) = info.sequence else {
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{}\" is not a sequence", info.name)));
        };
        self.check_owner(&info)?;
        let rows = self.find_rows(PG_SEQUENCE, |r| r.oid("seqrelid") == info.oid)?;
        let Some(row) = rows.first() else { return Err(SqlError::internal("a sequence has a row")) };
        let row = catalog::Fields { relation: PG_SEQUENCE, row };
        let mut rules = Rules {
            ty: row.oid("seqtypid"),
            increment: old.increment,
            min: old.min,
            max: old.max,
            start: row.int("seqstart"),
            cache: row.int("seqcache"),
            cycle: old.cycle,
            owned_by: None,
            restart: None,
            name: None,
        };
        let (mut min, mut max, mut start) = (Some(rules.min), Some(rules.max), Some(rules.start));
        rules.take(&alter.options, sql, &mut min, &mut max, &mut start)?;
        let rules = rules.settle(min, max, start)?;
        self.change_rows(PG_SEQUENCE, |r| r.oid("seqrelid") == info.oid, &rules.fields())?;
        if let Some(restart) = rules.restart {
            let value = restart.unwrap_or(rules.start);
            rules.check_within(value, "RESTART")?;
            let rel = self.db.relation(info.rel)?;
            storage::sequence::set(&self.db, &rel, value, false)?;
        }
        if let Some(owner) = &rules.owned_by {
            self.set_sequence_owner(sql, info.oid, owner)?;
        }
        Ok("ALTER SEQUENCE".to_owned())
    }
}
