#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aggregate;
mod function;
mod module;
mod options;
mod set;
mod signature;

use proc_macro::TokenStream;

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|e| e.to_compile_error()).into()
}

/// Makes an SQL function of a Rust function. See `ext`.
#[proc_macro_attribute]
pub fn function(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(function::expand(options.into(), item.into()))
}

/// Makes a set-returning SQL function of a Rust function that returns an iterator of results, or a vector. See `ext`.
#[proc_macro_attribute]
pub fn set_function(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(set::expand(options.into(), item.into()))
}

/// Makes an SQL aggregate of an inherent `impl` with `add`, `finish` and perhaps `merge`, `remove`, `add_slice`. See `ext`.
#[proc_macro_attribute]
pub fn aggregate(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(aggregate::expand(options.into(), item.into()))
}

/// Lists what an inline module defines, as its constant `MODULE`. See `ext`.
#[proc_macro_attribute]
pub fn module(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(module::expand(options.into(), item.into()))
}
