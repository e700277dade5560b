//! `#[set_function]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemFn;

use crate::function::{checks, constant, take_arguments};
use crate::options::Options;
use crate::signature::{Shape, word};

pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options: Options = syn::parse2(options)?;
    let item: ItemFn = syn::parse2(item)?;
    let ident = &item.sig.ident;
    let label = ident.to_string();
    let name = match &options.name {
        Some(n) => quote!(#n),
        None => quote!(#label),
    };
    let mut entries = Vec::new();
    for instance in &options.instances {
        let mut shape = Shape::of(&item.sig, &instance.types)?;
        let types = &instance.types;
        let path = if types.is_empty() { quote!(#ident) } else { quote!(#ident::<#(#types),*>) };
        let (take, passed) = take_arguments(&shape, &label);
        let is_vec = word(&shape.output).is_some_and(|w| w == "Vec");
        // What the rows hold is checked by the row's width alone: the type is opaque.
        shape.output = syn::parse_quote!(());
        let (accepts, _) = checks(&shape);
        let call = shape.takes_call.then(|| quote!(call,));
        let question = shape.fallible.then(|| quote!(?));
        let strict = options.strict || !shape.sees_null();
        let null_check = strict.then(|| {
            quote!(if args.iter().any(::ext::Datum::is_null) {
                return Ok(Box::new(std::iter::empty()));
            })
        });
        let rows = if is_vec {
            quote!(value.into_iter().map(|v| Ok(::ext::Row::into_row(v))))
        } else {
            quote!(value.map(|v| v.map(::ext::Row::into_row)))
        };
        let oids = &instance.oids;
        entries.push(quote! {
            {
                fn rows(call: &mut ::ext::Call<'_>, args: &[::ext::Datum]) -> ::ext::Result<::ext::Rows> {
                    let _ = &call;
                    #null_check
                    #take
                    let value = #path(#call #(#passed),*)#question;
                    Ok(Box::new(#rows))
                }
                ::ext::SetDefinition { oids: &[#(#oids),*], name: #name, arguments: #accepts, strict: #strict, rows }
            }
        });
    }
    let constant = constant(ident);
    let doc = format!("What `{label}` defines.");
    Ok(quote! {
        #item
        #[doc = #doc]
        #[allow(non_upper_case_globals)]
        pub const #constant: &[::ext::SetDefinition] = &[#(#entries),*];
    })
}
