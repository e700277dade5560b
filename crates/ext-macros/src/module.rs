//! `#[module]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Item, ItemMod};

use crate::aggregate::definition;
use crate::function::constant;

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|a| a.path().segments.last().is_some_and(|s| s.ident == name))
}

pub fn expand(_: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut module: ItemMod = syn::parse2(item)?;
    let message = "`module` goes on a module with its content in braces";
    let Some((_, items)) = &mut module.content else { return Err(syn::Error::new_spanned(&module.ident, message)) };
    let (mut functions, mut sets, mut aggregates) = (Vec::new(), Vec::new(), Vec::new());
    for item in items.iter() {
        match item {
            Item::Fn(f) if has(&f.attrs, "function") => functions.push(constant(&f.sig.ident)),
            Item::Fn(f) if has(&f.attrs, "set_function") => sets.push(constant(&f.sig.ident)),
            Item::Impl(i) if has(&i.attrs, "aggregate") => aggregates.push(definition(&i.self_ty)),
            _ => {}
        }
    }
    items.push(syn::parse2(quote! {
        /// All that this module defines.
        pub const MODULE: ::ext::Module =
            ::ext::Module { functions: &[#(#functions),*], sets: &[#(#sets),*], aggregates: &[#(#aggregates),*] };
    })?);
    Ok(quote!(#module))
}
