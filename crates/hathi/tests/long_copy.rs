//! COPY of data so long that a thread of its own reads them: the same rows, errors and places as of short data.

use std::io::Write;

use hathi::{Database, Error, Session};

const ROWS: i32 = 60_000;

fn session() -> (Database, Session) {
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    session.batch_execute("CREATE TABLE t (id int PRIMARY KEY, n int CHECK (n < 1000), name text)").unwrap();
    (db, session)
}

/// Lines, with `odd` instead of the line of that number.
fn lines(odd: &[(i32, &str)]) -> Vec<u8> {
    let mut data = Vec::new();
    for i in 1..=ROWS {
        match odd.iter().find(|o| o.0 == i) {
            Some((_, line)) => writeln!(data, "{line}").unwrap(),
            None => writeln!(data, "{i}\t{}\trow {i}", i % 1000).unwrap(),
        }
    }
    data
}

fn copy(session: &mut Session, sql: &str, data: &[u8], piece: usize) -> Result<u64, Error> {
    let mut copy = session.copy_in(sql)?;
    for piece in data.chunks(piece) {
        copy.write_all(piece).map_err(|e| e.downcast::<Error>().unwrap())?;
    }
    copy.finish()
}

fn count(session: &mut Session) -> (i64, i64) {
    let row = session.query_one("SELECT count(*), coalesce(sum(n), 0) FROM t", &[]).unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn all_rows_arrive() {
    for piece in [777, 65_536, usize::MAX >> 1] {
        let (_db, mut session) = session();
        assert_eq!(copy(&mut session, "COPY t FROM STDIN", &lines(&[]), piece).unwrap(), ROWS as u64);
        assert_eq!(count(&mut session), (i64::from(ROWS), (1..=i64::from(ROWS)).map(|i| i % 1000).sum()));
    }
}

/// Contexts and messages are what PostgreSQL 18 says of the same data.
#[test]
fn errors_name_their_line() {
    let cases = [
        (
            "50001\tx\trow",
            "22P02",
            "invalid input syntax for type integer: \"x\"",
            "COPY t, line 50001, column n: \"x\"",
        ),
        ("50001\t7", "22P04", "missing data for column \"name\"", "COPY t, line 50001: \"50001\t7\""),
        ("17\t7\trow", "23505", "duplicate key value violates unique constraint \"t_pkey\"", "COPY t, line 50001"),
        (
            "50001\t5000\trow",
            "23514",
            "new row for relation \"t\" violates check constraint \"t_n_check\"",
            "COPY t, line 50001: \"50001\t5000\trow\"",
        ),
    ];
    for (line, state, message, context) in cases {
        let (_db, mut session) = session();
        let error = copy(&mut session, "COPY t FROM STDIN", &lines(&[(50_001, line)]), 65_536).unwrap_err();
        assert_eq!((error.state().as_str(), error.message()), (state, message));
        assert_eq!(error.fields().context.as_deref(), Some(context));
        assert_eq!(count(&mut session), (0, 0), "all of it is undone");
        // The session, and another COPY, go on.
        assert_eq!(copy(&mut session, "COPY t FROM STDIN", &lines(&[]), 65_536).unwrap(), ROWS as u64);
    }
}

#[test]
fn the_first_of_two_errors_is_told() {
    let (_db, mut session) = session();
    let data = lines(&[(50_001, "50001\t5000\trow"), (50_002, "x\t1\trow")]);
    let error = copy(&mut session, "COPY t FROM STDIN", &data, 65_536).unwrap_err();
    assert_eq!(error.fields().context.as_deref(), Some("COPY t, line 50001: \"50001\t5000\trow\""));
}

#[test]
fn bad_rows_are_skipped_where_asked() {
    let (_db, mut session) = session();
    let data = lines(&[(100, "100\tx\trow"), (59_999, "59999\ty\trow")]);
    let sql = "COPY t FROM STDIN WITH (ON_ERROR ignore)";
    assert_eq!(copy(&mut session, sql, &data, 65_536).unwrap(), ROWS as u64 - 2);
    let (_db, mut session) = self::session();
    let sql = "COPY t FROM STDIN WITH (ON_ERROR ignore, REJECT_LIMIT 1)";
    let error = copy(&mut session, sql, &data, 65_536).unwrap_err();
    assert_eq!(error.fields().context.as_deref(), Some("COPY t, line 59999, column n: \"y\""));
}

#[test]
fn one_given_up_leaves_nothing() {
    let (_db, mut session) = session();
    let data = lines(&[]);
    let mut copy = session.copy_in("COPY t FROM STDIN").unwrap();
    copy.write_all(&data[..data.len() - 5]).unwrap();
    drop(copy);
    assert_eq!(count(&mut session), (0, 0));
    assert_eq!(self::copy(&mut session, "COPY t FROM STDIN", &data, 65_536).unwrap(), ROWS as u64);
}
