//! Tests of the stored form.
use super::*;

#[test]
fn stored_form_is_canonical() {
    for text in ["0", "0.00", "-1.5", "9223372036854775807", "-9223372036854775807", "9223372036854775808"] {
        let n = Numeric::parse(text).unwrap();
        let d = n.to_datum();
        assert_eq!(Numeric::from_datum(&d).to_string(), text);
        assert_eq!(Numeric::from_datum(&d).to_datum(), d);
    }
    assert_eq!(Numeric::small(15, 1).to_datum().as_bytes().unwrap().len(), SMALL_LEN);
    assert_eq!(Numeric::parse("-9223372036854775808").unwrap().to_datum().as_bytes().unwrap()[0], TAG_NEG);
}
