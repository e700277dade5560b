//! Lists that are known when a program runs.

use vector::{Data, Nulls, Vector};

use super::tiles::tiled;
use super::{CODE, native, plus_one};
use crate::{Form, Given, Jit, Output, Program, Step, WordList};

#[test]
fn a_value_is_among_a_list_as_any_says() {
    let program = Program {
        steps: vec![Step::Column(0), Step::Among(0)],
        columns: vec![Form::I64],
        output: Output::Vector(Form::Bool),
        ..plus_one(1)
    };
    let mut nulls = Nulls::default();
    nulls.set(3);
    let column = Vector { data: Data::I64(vec![5, 7, -9, 0, i64::MAX]), nulls };
    let words = |list: &[i64]| list.iter().map(|&n| Some(n as u64)).collect::<Vec<_>>();
    let (t, f, n) = (Some(true), Some(false), None);
    let cases = [
        // Close together, far apart, and one alone.
        (WordList::new(words(&[5, 6, -9])), [t, f, t, n, f]),
        (WordList::new(words(&[i64::MAX, 5, i64::MIN])), [t, f, f, n, t]),
        (WordList::new(words(&[7])), [f, t, f, n, f]),
        // Who is not among what is known may be the one that is not.
        (WordList::new(words(&[5, 6]).into_iter().chain([None])), [t, n, n, n, n]),
        (WordList::new(words(&[i64::MAX, 0]).into_iter().chain([None])), [n, n, n, n, t]),
        (WordList::new([None]), [n; 5]),
        (WordList::new([]), [f; 5]),
        (WordList::null(), [n; 5]),
    ];
    for jit in if CODE { vec![native(), tiled(), Jit::interpreter()] } else { vec![Jit::interpreter()] } {
        let unit = jit.unit(program.clone()).unwrap().0;
        for (list, wanted) in &cases {
            let given = Given { lists: std::slice::from_ref(list), ..Given::default() };
            let out = unit.values(&[&column], given, 5).unwrap();
            let Data::Bool(values) = &out.data else { panic!("{out:?}") };
            let found: Vec<_> = (0..5).map(|i| (!out.nulls.get(i)).then_some(values[i])).collect();
            assert_eq!(found, wanted, "{list:?}");
            // As many as tiles take: each row comes again and again.
            let rows: Vec<u32> = (0..100).map(|i| i % 5).collect();
            let out = unit.values(&[&column.select(&rows)], given, 100).unwrap();
            let Data::Bool(values) = &out.data else { panic!("{out:?}") };
            let found = (0..100).map(|i| (!out.nulls.get(i)).then_some(values[i]));
            assert!(found.eq((0..100).map(|i| wanted[i % 5])), "{list:?}");
        }
        assert!(unit.values(&[&column], Given::default(), 5).is_none(), "it looks into what it was not given");
    }
}
