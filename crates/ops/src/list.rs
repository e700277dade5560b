//! The operations by name: what stencils, interpreter and compiler are made from, each by handing in a macro.

/// Calls `$then!` with every operation of two words: its body, its name, and what its right side is read as.
#[macro_export]
macro_rules! binary_operations {
    ($then:ident) => {
        $then! {
            add_i16 AddI16 int; sub_i16 SubI16 int; mul_i16 MulI16 int; div_i16 DivI16 int; rem_i16 RemI16 int;
            add_i32 AddI32 int; sub_i32 SubI32 int; mul_i32 MulI32 int; div_i32 DivI32 int; rem_i32 RemI32 int;
            add_i64 AddI64 int; sub_i64 SubI64 int; mul_i64 MulI64 int; div_i64 DivI64 int; rem_i64 RemI64 int;
            and_bits AndBits int; or_bits OrBits int; xor_bits XorBits int;
            eq_int EqInt int; ne_int NeInt int; lt_int LtInt int; le_int LeInt int; gt_int GtInt int; ge_int GeInt int;
            eq_float EqFloat float; ne_float NeFloat float; lt_float LtFloat float;
            le_float LeFloat float; gt_float GtFloat float; ge_float GeFloat float;
            add_f32 AddF32 float; sub_f32 SubF32 float; mul_f32 MulF32 float; div_f32 DivF32 float;
            add_f64 AddF64 float; sub_f64 SubF64 float; mul_f64 MulF64 float; div_f64 DivF64 float;
        }
    };
}

/// Calls `$then!` with every operation of one word that is NULL where its argument is.
#[macro_export]
macro_rules! unary_operations {
    ($then:ident) => {
        $then! {
            neg_i16 NegI16; neg_i32 NegI32; neg_i64 NegI64; abs_i16 AbsI16; abs_i32 AbsI32; abs_i64 AbsI64;
            narrow_i16 NarrowI16; narrow_i32 NarrowI32; not_bits NotBits;
            neg_float NegFloat; abs_float AbsFloat; int_to_f32 IntToF32; int_to_f64 IntToF64;
        }
    };
}

/// Calls `$then!` with every choice between two words that takes the other where one is NULL.
#[macro_export]
macro_rules! choices {
    ($then:ident) => {
        $then! { max_int MaxInt; min_int MinInt; max_float MaxFloat; min_float MinFloat; }
    };
}

/// Calls `$then!` with every fold: what becomes of a cell by a row's value.
#[macro_export]
macro_rules! folds {
    ($then:ident) => {
        $then! {
            fold_rows Rows; fold_values Values; fold_sum Sum; fold_all All; fold_any Any;
            fold_max_int MaxInt; fold_min_int MinInt; fold_max_float MaxFloat; fold_min_float MinFloat;
        }
    };
}

/// Calls `$then!` with every form of column, and the type of its values.
#[macro_export]
macro_rules! column_forms {
    ($then:ident) => {
        $then! { bool Bool u8; i16 I16 i16; i32 I32 i32; i64 I64 i64; u32 U32 u32; f32 F32 f32; f64 F64 f64; }
    };
}
