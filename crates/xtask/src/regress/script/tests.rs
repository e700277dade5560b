//! Pieces of scripts, and scores of made-up outputs.

use super::*;

fn pieces(script: &str) -> Vec<(String, usize)> {
    split(script, &[]).into_iter().map(|piece| (piece.lines.join("|"), piece.statements)).collect()
}

fn piece(lines: &str, statements: usize) -> (String, usize) {
    (lines.to_owned(), statements)
}

#[test]
fn a_piece_ends_where_a_statement_does() {
    let script = "-- it's one;\nSELECT ';', \";\", E'\\';',\n  $a$;$a$ /* ; /* ; */ ; */;\nSELECT 1; SELECT\n2;\n\\set x 1\n\\d t\n-- end";
    let wanted = [
        piece("-- it's one;|SELECT ';', \";\", E'\\';',|  $a$;$a$ /* ; /* ; */ ; */;", 1),
        piece("SELECT 1; SELECT", 1),
        piece("2;", 1),
        piece("\\set x 1", 0),
        piece("\\d t", 1),
        piece("-- end", 0),
    ];
    assert_eq!(pieces(script), wanted);
}

#[test]
fn semicolons_in_parentheses_and_bodies_end_nothing() {
    let script = "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);\nCREATE FUNCTION f() BEGIN ATOMIC\nSELECT CASE WHEN a THEN b END;\nEND;\nEND;\nSELECT 1 \\gset\n";
    let counts: Vec<usize> = pieces(script).iter().map(|piece| piece.1).collect();
    assert_eq!(counts, [1, 1, 1, 1]);
}

#[test]
fn data_belongs_to_no_piece_when_copy_took_it() {
    let script = "COPY t FROM stdin;\n1\n\\.\nSELECT 1;\n";
    let taken = split(script, &["COPY t FROM stdin;", "SELECT 1;", "x"]);
    assert_eq!(taken.len(), 2);
    let script = "COPY u FROM stdin;\nSELECT 1;\nCOPY t FROM stdin;\n1\n\\.\n";
    let refused = split(script, &["COPY u FROM stdin;", "ERROR:  no", "SELECT 1;", "x", "COPY t FROM stdin;"]);
    assert_eq!(refused.iter().map(|piece| piece.lines.len()).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn agreement_is_counted_by_statement_and_alternative() {
    let script = "SELECT 1;\n\nSELECT 2;\nSELECT 3;\n";
    let expected = "SELECT 1;\n x\n\nSELECT 2;\n y\n\nSELECT 3;\n z\n";
    let got = "SELECT 1;\n  x\n\nSELECT 2;\nERROR:  no\nSELECT 3;\n z\n";
    let report = score("f", script, got, &["SELECT 1;\nSELECT 2;\nSELECT 3;\n".to_owned(), expected.to_owned()]);
    assert_eq!((report.agreeing, report.statements), (2, 3));
    assert_eq!(report.wrong[0].message, "ERROR:  no");
    let cut = score("f", script, "SELECT 1;\n x\n\n", &[expected.to_owned()]);
    assert_eq!((cut.agreeing, cut.wrong.len()), (1, 2));
}
