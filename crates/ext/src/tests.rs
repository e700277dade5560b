use types::io::BuiltinTypes;

use super::*;

#[ext::module]
mod sample {
    use crate::{Call, Fail, SqlError};

    #[ext::function(each(i32 = 1, i64 = [2, 3]))]
    pub fn half<T: Copy + TryInto<i64> + TryFrom<i64>>(v: T) -> Result<T, Fail> {
        let v: i64 = v.try_into().map_err(|_| Fail::Overflow)?;
        if v % 2 == 1 { Err(Fail::InputOutOfRange) } else { T::try_from(v / 2).map_err(|_| Fail::Overflow) }
    }

    #[ext::function(name = "greet", stable)]
    pub fn greet(call: &mut Call<'_>, name: Option<&str>) -> Result<String, SqlError> {
        Ok(format!("hello {}", name.unwrap_or(call.host.current_user())))
    }

    #[ext::set_function(oid = 4)]
    pub fn count_to(n: i32) -> Result<impl Iterator<Item = Result<i32, SqlError>>, SqlError> {
        Ok((1..=n).map(Ok))
    }

    #[derive(Default, Clone)]
    pub struct Product(i64);

    #[ext::aggregate(oid = 5)]
    impl Product {
        fn add(&mut self, v: i32) {
            self.0 += i64::from(v);
        }
        fn add_slice(&mut self, v: &[i32]) -> Result<(), SqlError> {
            self.0 += v.iter().map(|v| i64::from(*v)).sum::<i64>();
            Ok(())
        }
        fn finish(&self) -> i64 {
            self.0
        }
    }
}

fn call<T>(f: impl FnOnce(&mut Call<'_>) -> T) -> T {
    let (mut host, settings) = (NoHost, IoSettings::default());
    f(&mut Call::new(&mut host, &settings, &BuiltinTypes))
}

fn ints(values: &[Option<i32>]) -> Vector {
    let mut v = Vector::new(types::Physical::I32);
    values.iter().for_each(|x| v.push(&Datum::from(*x)));
    v
}

#[test]
fn one_definition_gives_both_forms() {
    let half = &sample::MODULE.functions[0][0];
    assert_eq!((half.oids, half.function.strict), (&[1][..], true));
    assert_eq!(sample::MODULE.functions[0][1].oids, [2, 3]);
    call(|c| {
        assert_eq!((half.function.scalar)(c, &[Datum::I32(4)]).unwrap(), Datum::I32(2));
        assert_eq!((half.function.scalar)(c, &[Datum::Null]).unwrap(), Datum::Null);
        let out = (half.function.kernel)(c, &[&ints(&[Some(4), None, Some(8)])], 3).unwrap();
        assert_eq!((0..3).map(|i| out.get(i)).collect::<Vec<_>>(), [Datum::I32(2), Datum::Null, Datum::I32(4)]);
        let error = (half.function.kernel)(c, &[&ints(&[Some(4), Some(3)])], 2).unwrap_err();
        assert_eq!(error.message(), "input is out of range");
    });
}

#[test]
fn extension_functions_carry_their_signature() {
    let greet = &sample::MODULE.functions[1][0];
    assert_eq!((greet.name, greet.volatility, greet.function.strict), ("greet", b's', false));
    assert!(matches!(greet.arguments, [Accepts::Some(_, types::oid::TEXT)]));
    call(|c| {
        assert_eq!((greet.function.scalar)(c, &[Datum::Null]).unwrap(), Datum::text("hello postgres"));
    });
}

#[test]
fn sets_and_aggregates() {
    call(|c| {
        let rows = (sample::MODULE.sets[0][0].rows)(c, &[Datum::I32(2)]).unwrap();
        assert_eq!(rows.map(Result::unwrap).collect::<Vec<_>>(), [[Datum::I32(1)], [Datum::I32(2)]]);
        let mut states = (sample::MODULE.aggregates[0][0].groups)();
        states.resize(2);
        states.add(c, 0, &[Datum::I32(5)]).unwrap();
        states.add_vector(c, &[&ints(&[Some(1), None, Some(2)])], Rowset::All(3), Some(&[1, 0, 0])).unwrap();
        assert_eq!(states.finish(c, 0).unwrap(), Datum::I64(7));
        assert_eq!(states.finish(c, 1).unwrap(), Datum::I64(1));
        states.add_vector(c, &[&ints(&[Some(1), Some(2)])], Rowset::All(2), None).unwrap();
        assert_eq!(states.finish(c, 0).unwrap(), Datum::I64(10));
    });
}
