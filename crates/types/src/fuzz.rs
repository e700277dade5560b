//! Properties over random values: nothing panics, forms round-trip, keys order as values do.

use proptest::prelude::*;

use crate::io::{IoSettings, binary_in, binary_out, text_in, to_text};
use crate::numeric::Numeric;
use crate::oid::{self, Oid};
use crate::sortkey::encode_key;
use crate::{Datum, compare};

const TYPES: &[Oid] = &[
    oid::BOOL,
    oid::INT2,
    oid::INT4,
    oid::INT8,
    oid::OID,
    oid::XID8,
    oid::TID,
    oid::PG_LSN,
    oid::FLOAT4,
    oid::FLOAT8,
    oid::NUMERIC,
    oid::TEXT,
    oid::VARCHAR,
    oid::BPCHAR,
    oid::NAME,
    oid::CHAR,
    oid::BYTEA,
    oid::UUID,
    oid::DATE,
    oid::TIME,
    oid::TIMETZ,
    oid::TIMESTAMP,
    oid::TIMESTAMPTZ,
    oid::INTERVAL,
    oid::BIT,
    oid::VARBIT,
    oid::JSON,
    oid::JSONB,
    oid::INET,
    oid::CIDR,
    oid::MACADDR,
    oid::INT2VECTOR,
    oid::OIDVECTOR,
    oid::INT4_ARRAY,
    oid::TEXT_ARRAY,
    oid::JSONB_ARRAY,
    oid::NUMERIC_ARRAY,
    oid::TIMESTAMPTZ_ARRAY,
];

/// Text that is often nearly valid for one type or another.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-+0-9.eE_ xabnNif]{0,24}",
        "[-+0-9:./ TZJPMWDYSHapmbc]{0,30}",
        "(P|PT|)([-0-9.]{1,6}[YMWDHSTymd:-]? ?){1,5}",
        "([0-9]{1,4}|jan|feb|mon|t|j|bc|ad|am|pm|est|dst|now|[-+][0-9:]{1,6}|[ /:,.-]|é){1,12}",
        "[{}\\[\\]\",:\\\\a1 nult=é-]{0,24}",
        "[0-9a-fx:./%-]{0,20}",
    ]
}

fn typmods() -> impl Strategy<Value = i32> {
    prop_oneof![Just(-1), 0..12i32, 0..100_000i32]
}

fn numerics() -> impl Strategy<Value = Numeric> {
    let finite = (any::<i128>(), 0..40u32, 0..127u32)
        .prop_map(|(c, s, shift)| Numeric::parse(&format!("{}e-{s}", c >> shift)).expect("a number"));
    prop_oneof![
        9 => finite,
        1 => prop_oneof![Just(Numeric::NAN), Just(Numeric::INFINITY), Just(Numeric::NEG_INFINITY), Just(Numeric::ZERO)],
    ]
}

fn datums() -> impl Strategy<Value = (Oid, Datum, Datum)> {
    fn pair(t: Oid, s: impl Strategy<Value = Datum> + Clone + 'static) -> BoxedStrategy<(Oid, Datum, Datum)> {
        (s.clone(), s).prop_map(move |(a, b)| (t, a, b)).boxed()
    }
    prop_oneof![
        pair(oid::INT4, any::<i32>().prop_map(Datum::I32)),
        pair(oid::INT8, any::<i64>().prop_map(Datum::I64)),
        pair(oid::FLOAT8, any::<u64>().prop_map(|b| Datum::F64(f64::from_bits(b)))),
        pair(oid::FLOAT4, any::<u32>().prop_map(|b| Datum::F32(f32::from_bits(b)))),
        pair(oid::NUMERIC, (-300..300i64, 0..3u8).prop_map(|(c, s)| Numeric::small(c, s).to_datum())),
        (numerics(), numerics()).prop_map(|(a, b)| (oid::NUMERIC, a.to_datum(), b.to_datum())),
        pair(oid::TEXT, "[\\x00ab]{0,4}".prop_map(Datum::from)),
        pair(
            oid::BYTEA,
            proptest::collection::vec(prop_oneof![Just(0u8), Just(255), Just(1)], 0..4).prop_map(Datum::from)
        ),
        pair(oid::BPCHAR, "[ab ]{0,4}".prop_map(Datum::from)),
        pair(oid::UUID, any::<[u8; 16]>().prop_map(Datum::B16)),
        pair(oid::DATE, (-2_451_545..2_145_031_949i32).prop_map(Datum::I32)),
        pair(oid::TIMESTAMP, (-211_813_488_000_000_000..9_223_371_331_200_000_000i64).prop_map(Datum::I64)),
        pair(oid::INTERVAL, (any::<i32>(), any::<i32>(), any::<i64>()).prop_map(|(m, d, u)| Datum::interval(u, d, m))),
        pair(
            oid::INTERVAL,
            (-2..2i32, -60..60i32, -2..2i64).prop_map(|(m, d, h)| Datum::interval(h * 86_400_000_000, d, m))
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn input_never_panics(text in texts(), typmod in typmods()) {
        let s = IoSettings::default();
        for &t in TYPES {
            if let Ok(d) = text_in(t, typmod, &text, &s) {
                let shown = to_text(t, &d, &s).expect("an accepted value can be shown");
                if typmod < 0 {
                    let back = text_in(t, -1, &shown, &s);
                    let same = back.as_ref().is_ok_and(|b| compare::compare(t, b, &d).is_eq());
                    // json, xid8 and the like have no order, yet compare as bytes.
                    prop_assert!(same, "{t}: {text:?} shows as {shown:?}, which reads as {back:?}");
                }
            }
        }
    }

    #[test]
    fn binary_input_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40), typmod in typmods()) {
        for &t in TYPES {
            if let Ok(d) = binary_in(t, typmod, &bytes) {
                let _ = to_text(t, &d, &IoSettings::default());
                let _ = compare::compare(t, &d, &d);
                let mut k = Vec::new();
                encode_key(&mut k, t, &d, false, false).expect("every value has a key");
            }
        }
    }

    #[test]
    fn stored_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        // What a corrupt page might hold.
        for t in [oid::NUMERIC, oid::JSONB, oid::INT4_ARRAY, oid::VARBIT, oid::INET, oid::OIDVECTOR] {
            let d = Datum::bytes(&bytes);
            let _ = compare::compare(t, &d, &d);
        }
    }

    #[test]
    fn keys_order_as_values((t, a, b) in datums(), descending: bool) {
        let key = |d: &Datum| { let mut k = Vec::new(); encode_key(&mut k, t, d, descending, true).unwrap(); k };
        let order = compare::compare(t, &a, &b);
        prop_assert_eq!(key(&a).cmp(&key(&b)), if descending { order.reverse() } else { order });
        prop_assert!(order.is_eq() || !key(&b).starts_with(&key(&a)));
    }

    #[test]
    fn forms_round_trip((t, a, _) in datums()) {
        let s = IoSettings::default();
        let nan = matches!(a, Datum::F64(v) if v.is_nan()) || matches!(a, Datum::F32(v) if v.is_nan());
        if !nan && t != oid::TEXT && t != oid::BPCHAR {
            let shown = to_text(t, &a, &s).unwrap();
            prop_assert_eq!(text_in(t, -1, &shown, &s).unwrap(), a.clone());
        }
        if t != oid::TEXT {
            let mut out = Vec::new();
            binary_out(t, &a, &mut out).unwrap();
            prop_assert_eq!(binary_in(t, -1, &out).unwrap(), a);
        }
    }

    #[test]
    fn arithmetic_agrees_with_itself(a in numerics(), b in numerics()) {
        if let Ok(sum) = a.add(&b) {
            prop_assert_eq!(&sum, &b.add(&a).unwrap());
            if sum.is_finite() {
                prop_assert_eq!(sum.sub(&b).unwrap(), a.clone());
            }
        }
        if a.is_finite() && b.is_finite() && !b.is_zero() {
            let (q, r) = (a.div_trunc(&b).unwrap(), a.rem(&b).unwrap());
            prop_assert_eq!(q.mul(&b).unwrap().add(&r).unwrap(), a.clone());
            prop_assert!(r.abs() < b.abs());
        }
        prop_assert_eq!(Numeric::from_datum(&a.to_datum()).to_string(), a.to_string());
    }
}
