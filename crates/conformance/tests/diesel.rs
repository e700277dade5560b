//! A session of diesel over libpq: its query builder, values of every type in binary, transactions, COPY, errors, migrations, and the questions
//! that `diesel print-schema` asks.

#![allow(missing_docs, reason = "diesel::table! writes modules that cannot be documented")]

use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use conformance::Served;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{self, Text};
use diesel::upsert::excluded;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use uuid::Uuid;

diesel::table! {
    author (id) {
        id -> Int4,
        name -> Text,
        born -> Nullable<Date>,
    }
}

diesel::table! {
    book (id) {
        id -> Int8,
        author_id -> Int4,
        title -> Varchar,
        price -> Numeric,
        tags -> Array<Nullable<Text>>,
        about -> Nullable<Jsonb>,
    }
}

diesel::joinable!(book -> author (author_id));
diesel::allow_tables_to_appear_in_same_query!(author, book);

#[derive(Queryable, Selectable, Identifiable, Insertable, AsChangeset, PartialEq, Clone, Debug)]
#[diesel(table_name = author, treat_none_as_default_value = false)]
struct Author {
    id: i32,
    name: String,
    born: Option<NaiveDate>,
}

#[derive(Queryable, Selectable, Identifiable, Associations, Insertable, PartialEq, Clone, Debug)]
#[diesel(table_name = book, belongs_to(Author))]
struct Book {
    id: i64,
    author_id: i32,
    title: String,
    price: BigDecimal,
    tags: Vec<Option<String>>,
    about: Option<serde_json::Value>,
}

/// The migrations the rest works on.
fn migrations() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, up: &str, down: &str| {
        let migration = folder.path().join(name);
        std::fs::create_dir(&migration).unwrap();
        std::fs::write(migration.join("up.sql"), up).unwrap();
        std::fs::write(migration.join("down.sql"), down).unwrap();
    };
    write(
        "2024-01-01-000000_author",
        "CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL UNIQUE, born date);",
        "DROP TABLE author;",
    );
    write(
        "2024-01-02-000000_book",
        "CREATE TABLE book (id bigserial PRIMARY KEY, author_id int NOT NULL REFERENCES author ON DELETE CASCADE, \
         title varchar NOT NULL, price numeric(8,2) NOT NULL CHECK (price >= 0), tags text[] NOT NULL, about jsonb);\n\
         CREATE INDEX book_by_author ON book (author_id);",
        "DROP TABLE book;",
    );
    folder
}

/// A value goes there and back in binary, and PostgreSQL's text of it is `text`.
macro_rules! round {
    ($connection:expr, $sql_type:literal, $kind:ty, $rust:ty, $value:expr, $text:literal) => {{
        #[derive(QueryableByName)]
        struct Answer {
            #[diesel(sql_type = sql_types::Nullable<$kind>)]
            value: Option<$rust>,
            #[diesel(sql_type = Text)]
            text: String,
            #[diesel(sql_type = sql_types::Nullable<$kind>)]
            none: Option<$rust>,
        }
        let value: $rust = $value;
        let sql = concat!("SELECT $1 AS value, $1::", $sql_type, "::text AS text, NULL::", $sql_type, " AS none");
        let answer: Answer = diesel::sql_query(sql).bind::<$kind, _>(value.clone()).get_result($connection)?;
        assert_eq!((answer.value, &*answer.text, answer.none), (Some(value), $text, None), $sql_type);
    }};
}

fn values(c: &mut PgConnection) -> QueryResult<()> {
    let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    let time = NaiveTime::from_hms_micro_opt(13, 14, 15, 678).unwrap();
    round!(c, "bool", sql_types::Bool, bool, true, "true");
    round!(c, "int2", sql_types::SmallInt, i16, i16::MIN, "-32768");
    round!(c, "int4", sql_types::Integer, i32, i32::MAX, "2147483647");
    round!(c, "int8", sql_types::BigInt, i64, i64::MIN, "-9223372036854775808");
    round!(c, "float4", sql_types::Float, f32, 1.5e-7, "1.5e-07");
    round!(c, "float8", sql_types::Double, f64, 0.1, "0.1");
    round!(
        c,
        "numeric",
        sql_types::Numeric,
        BigDecimal,
        "-1234567890123.00012".parse().unwrap(),
        "-1234567890123.00012"
    );
    round!(c, "text", Text, String, "schön".to_owned(), "schön");
    round!(c, "bytea", sql_types::Binary, Vec<u8>, vec![0, 255, 65], "\\x00ff41");
    round!(c, "date", sql_types::Date, NaiveDate, day, "2024-02-29");
    round!(c, "time", sql_types::Time, NaiveTime, time, "13:14:15.000678");
    round!(c, "timestamp", sql_types::Timestamp, NaiveDateTime, day.and_time(time), "2024-02-29 13:14:15.000678");
    let instant = day.and_time(time).and_utc();
    round!(c, "timestamptz", sql_types::Timestamptz, DateTime<Utc>, instant, "2024-02-29 13:14:15.000678+00");
    round!(c, "uuid", sql_types::Uuid, Uuid, Uuid::from_u128(1), "00000000-0000-0000-0000-000000000001");
    round!(c, "json", sql_types::Json, serde_json::Value, serde_json::json!([1, "x"]), "[1,\"x\"]");
    round!(c, "jsonb", sql_types::Jsonb, serde_json::Value, serde_json::json!({"a": null}), "{\"a\": null}");
    round!(c, "int4[]", sql_types::Array<sql_types::Integer>, Vec<i32>, vec![1, 2], "{1,2}");
    let words = vec![Some("a b".to_owned()), None];
    round!(c, "text[]", sql_types::Array<sql_types::Nullable<Text>>, Vec<Option<String>>, words, "{\"a b\",NULL}");
    Ok(())
}

fn queries(c: &mut PgConnection) -> QueryResult<()> {
    let authors: Vec<Author> = ["ann", "bob", "cat"]
        .iter()
        .zip(1..)
        .map(|(name, id)| Author { id, name: (*name).to_owned(), born: NaiveDate::from_ymd_opt(1900 + id, 1, 1) })
        .collect();
    assert_eq!(diesel::insert_into(author::table).values(&authors).execute(c)?, 3);
    let new = |author_id, title: &str, price: &str| {
        (
            book::author_id.eq(author_id),
            book::title.eq(title.to_owned()),
            book::price.eq(price.parse::<BigDecimal>().unwrap()),
            book::tags.eq(vec![Some("new".to_owned()), None]),
            book::about.eq(Some(serde_json::json!({"pages": 100}))),
        )
    };
    let rows = vec![new(1, "first", "10.50"), new(1, "second", "20"), new(2, "third", "7.25")];
    let books: Vec<Book> =
        diesel::insert_into(book::table).values(rows).returning(Book::as_returning()).get_results(c)?;
    assert_eq!(
        books.iter().map(|b| (b.id, b.price.to_string())).collect::<Vec<_>>(),
        [(1, "10.50".to_owned()), (2, "20.00".to_owned()), (3, "7.25".to_owned())]
    );
    let joined: Vec<(String, String)> = author::table
        .inner_join(book::table)
        .filter(book::price.gt(BigDecimal::from(8)))
        .order((author::name.asc(), book::title.desc()))
        .select((author::name, book::title))
        .load(c)?;
    assert_eq!(joined, [("ann".to_owned(), "second".to_owned()), ("ann".to_owned(), "first".to_owned())]);
    let without: Vec<(Author, Option<Book>)> = author::table
        .left_join(book::table)
        .filter(book::id.is_null().or(author::name.ilike("B%")))
        .select((Author::as_select(), Option::<Book>::as_select()))
        .order(author::id)
        .load(c)?;
    assert_eq!(without.iter().map(|(a, b)| (a.id, b.is_some())).collect::<Vec<_>>(), [(2, true), (3, false)]);
    let mine: Vec<Book> = Book::belonging_to(&authors[0]).select(Book::as_select()).order(book::id).load(c)?;
    assert_eq!(mine, books[..2]);
    let totals: Vec<(i32, i64, Option<BigDecimal>)> = book::table
        .group_by(book::author_id)
        .select((book::author_id, diesel::dsl::count_star(), diesel::dsl::sum(book::price)))
        .order(book::author_id)
        .load(c)?;
    assert_eq!(totals[0], (1, 2, Some("30.50".parse().unwrap())));
    let chosen: Vec<String> = book::table
        .filter(book::author_id.eq_any(author::table.select(author::id).filter(author::name.ne("bob"))))
        .filter(book::id.eq_any(vec![1i64, 3]))
        .filter(book::tags.contains(vec!["new"]))
        .select(book::title)
        .load(c)?;
    assert_eq!(chosen, ["first"]);
    assert!(diesel::select(diesel::dsl::exists(book::table.filter(book::title.eq("third")))).get_result::<bool>(c)?);
    let changed: Author = diesel::update(author::table.find(2))
        .set((author::name.eq("bert"), author::born.eq(None::<NaiveDate>)))
        .returning(Author::as_returning())
        .get_result(c)?;
    assert_eq!((changed.name.as_str(), changed.born), ("bert", None));
    let upserted: Author = diesel::insert_into(author::table)
        .values((author::id.eq(2), author::name.eq("benno")))
        .on_conflict(author::id)
        .do_update()
        .set(author::name.eq(excluded(author::name)))
        .returning(Author::as_returning())
        .get_result(c)?;
    assert_eq!(upserted.name, "benno");
    let ignored = diesel::insert_into(author::table).values(&authors).on_conflict_do_nothing().execute(c)?;
    assert_eq!(ignored, 0);
    // Rows one by one, as libpq's single row mode gives them.
    let mut sum = 0;
    for row in book::table.select(book::id).load_iter::<i64, diesel::pg::PgRowByRowLoadingMode>(c)? {
        sum += row?;
    }
    assert_eq!(sum, 6);
    let locked: Vec<i64> = book::table.select(book::id).filter(book::id.lt(2)).for_update().skip_locked().load(c)?;
    assert_eq!(locked, [1]);
    assert_eq!(diesel::delete(author::table.find(1)).execute(c)?, 1);
    assert_eq!(book::table.count().get_result::<i64>(c)?, 1);
    Ok(())
}

fn transactions(c: &mut PgConnection) -> QueryResult<()> {
    let names = |c: &mut PgConnection| author::table.select(author::name).order(author::id).load::<String>(c);
    let before = names(c)?;
    let rolled_back = c.transaction(|c| {
        diesel::delete(book::table).execute(c)?;
        // A transaction in a transaction is a savepoint.
        let inner: QueryResult<()> = c.transaction(|c| {
            diesel::insert_into(author::table).values((author::id.eq(3), author::name.eq("twice"))).execute(c)?;
            Ok(())
        });
        assert!(matches!(inner, Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))));
        assert_eq!(book::table.count().get_result::<i64>(c)?, 0);
        Err::<(), _>(Error::RollbackTransaction)
    });
    assert_eq!(rolled_back, Err(Error::RollbackTransaction));
    assert_eq!((names(c)?, book::table.count().get_result::<i64>(c)?), (before, 1));
    c.build_transaction()
        .read_only()
        .repeatable_read()
        .run(|c| {
            let refused = diesel::delete(book::table).execute(c);
            assert!(matches!(refused, Err(Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _))));
            Err(Error::RollbackTransaction)
        })
        .or_else(|e: Error| if e == Error::RollbackTransaction { Ok(()) } else { Err(e) })
}

fn errors(c: &mut PgConnection) -> QueryResult<()> {
    let told = |outcome: QueryResult<usize>| match outcome {
        Err(Error::DatabaseError(kind, info)) => {
            (format!("{kind:?}"), info.message().to_owned(), info.constraint_name().map(str::to_owned))
        }
        other => panic!("{other:?}"),
    };
    let twice = diesel::insert_into(author::table).values((author::id.eq(9), author::name.eq("cat"))).execute(c);
    let message = "duplicate key value violates unique constraint \"author_name_key\"";
    assert_eq!(told(twice), ("UniqueViolation".to_owned(), message.to_owned(), Some("author_name_key".to_owned())));
    let orphan = (book::author_id.eq(99), book::title.eq("x"), book::price.eq(BigDecimal::from(1)));
    let tags = book::tags.eq(Vec::<Option<String>>::new());
    let orphan = diesel::insert_into(book::table).values((orphan, tags)).execute(c);
    assert_eq!(told(orphan).0, "ForeignKeyViolation");
    assert_eq!(
        told(diesel::update(book::table).set(book::price.eq(BigDecimal::from(-1))).execute(c)).0,
        "CheckViolation"
    );
    let null = diesel::sql_query("INSERT INTO author VALUES (10, NULL)").execute(c);
    assert_eq!(told(null).0, "NotNullViolation");
    let syntax = diesel::sql_query("SELECT 1 +").execute(c);
    assert_eq!(told(syntax), ("Unknown".to_owned(), "syntax error at end of input".to_owned(), None));
    assert_eq!(author::table.find(12345).select(author::id).first::<i32>(c), Err(Error::NotFound));
    Ok(())
}

fn copy(c: &mut PgConnection) -> QueryResult<()> {
    let authors: Vec<Author> = (100..400).map(|id| Author { id, name: format!("copied {id}"), born: None }).collect();
    let copied = diesel::copy_from(author::table).from_insertable(&authors).execute(c)?;
    assert_eq!(copied, 300);
    let back: Vec<Author> = diesel::copy_to(author::table).load::<Author, _>(c)?.collect::<QueryResult<_>>()?;
    assert_eq!(back.iter().filter(|a| a.id >= 100).cloned().collect::<Vec<_>>(), authors);
    Ok(())
}

#[derive(QueryableByName, PartialEq, Debug)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What `diesel print-schema` asks `information_schema` and `pg_catalog`.
fn schema(c: &mut PgConnection) -> QueryResult<()> {
    let mut lines = |sql: &str| -> QueryResult<Vec<String>> {
        Ok(diesel::sql_query(sql).load::<Line>(c)?.into_iter().map(|l| l.line).collect())
    };
    let tables = lines(
        "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = current_schema() \
         AND table_type = 'BASE TABLE' AND table_name NOT LIKE '\\_\\_%' ORDER BY table_name",
    )?;
    assert_eq!(tables, ["author", "book"]);
    let columns = lines(
        "SELECT concat_ws(' ', column_name, udt_name, udt_schema, is_nullable, character_maximum_length, \
         col_description(('\"' || table_schema || '\".\"' || table_name || '\"')::regclass, ordinal_position::int)) AS line \
         FROM information_schema.columns WHERE table_name = 'book' AND table_schema = 'public' ORDER BY ordinal_position",
    )?;
    assert_eq!(
        columns,
        [
            "id int8 pg_catalog NO",
            "author_id int4 pg_catalog NO",
            "title varchar pg_catalog NO",
            "price numeric pg_catalog NO",
            "tags _text pg_catalog NO",
            "about jsonb pg_catalog YES"
        ]
    );
    let keys = lines(
        "SELECT k.column_name::text AS line FROM information_schema.key_column_usage k \
         JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name, table_name) \
         WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_name = 'book' ORDER BY k.ordinal_position",
    )?;
    assert_eq!(keys, ["id"]);
    let references = lines(
        "SELECT concat_ws(' ', c.conname, c.conrelid::regclass, a.attname, c.confrelid::regclass, f.attname) AS line \
         FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k(own, other) \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own \
         JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = k.other WHERE c.contype = 'f'",
    )?;
    assert_eq!(references, ["book_author_id_fkey book author_id author id"]);
    let types = lines(
        "SELECT t.typname || ' ' || n.nspname AS line FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
         WHERE t.typname IN ('jsonb', 'book') ORDER BY 1",
    )?;
    assert_eq!(types, ["book public", "jsonb pg_catalog"]);
    Ok(())
}

#[test]
fn diesel_works() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let served = Served::start();
    let mut c = PgConnection::establish(&served.url("postgres"))?;
    diesel::sql_query("SET timezone = 'UTC'").execute(&mut c)?;
    let folder = migrations();
    let source = || FileBasedMigrations::from_path(folder.path());
    assert_eq!(c.run_pending_migrations(source()?)?.len(), 2);
    assert!(!c.has_pending_migration(source()?)?);
    c.revert_last_migration(source()?)?;
    assert_eq!(c.run_pending_migrations(source()?)?.len(), 1);
    values(&mut c).map_err(|e| format!("values: {e}"))?;
    queries(&mut c).map_err(|e| format!("queries: {e}"))?;
    transactions(&mut c).map_err(|e| format!("transactions: {e}"))?;
    errors(&mut c).map_err(|e| format!("errors: {e}"))?;
    schema(&mut c).map_err(|e| format!("schema: {e}"))?;
    // The last: behind a COPY TO, diesel 2.3 finds its connection busy.
    copy(&mut c).map_err(|e| format!("copy: {e}"))?;
    Ok(())
}
