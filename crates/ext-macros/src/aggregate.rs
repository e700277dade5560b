//! `#[aggregate]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{ImplItem, ImplItemFn, ItemImpl, Type};

use crate::function::{checks, constant, take_arguments};
use crate::options::Options;
use crate::signature::{Kind, Shape, is_lane, word};

fn method<'i>(item: &'i ItemImpl, name: &str) -> Option<&'i ImplItemFn> {
    item.items.iter().find_map(|i| match i {
        ImplItem::Fn(f) if f.sig.ident == name => Some(f),
        _ => None,
    })
}

/// The module-unique name of the definitions of `impl ty`.
pub fn definition(ty: &Type) -> syn::Ident {
    constant(&format_ident!("{}", word(ty).unwrap_or_default()))
}

pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options: Options = syn::parse2(options)?;
    let item: ItemImpl = syn::parse2(item)?;
    let missing = |what: &str| syn::Error::new_spanned(&item.self_ty, format!("an aggregate needs a method `{what}`"));
    let add = method(&item, "add").ok_or_else(|| missing("add"))?;
    let finish = method(&item, "finish").ok_or_else(|| missing("finish"))?;
    let names: Vec<String> = item
        .generics
        .params
        .iter()
        .filter_map(|p| match p {
            syn::GenericParam::Type(t) => Some(t.ident.to_string()),
            _ => None,
        })
        .collect();
    let mut entries = Vec::new();
    for instance in &options.instances {
        // The generic parameters are the impl's: lend them to the methods' signatures.
        let with_generics = |f: &ImplItemFn| {
            let mut sig = f.sig.clone();
            sig.generics = item.generics.clone();
            sig
        };
        let types = &instance.types;
        let add_shape = Shape::of(&with_generics(add), types)?;
        let finish_shape = Shape::of(&with_generics(finish), types)?;
        let state = if names.is_empty() {
            item.self_ty.to_token_stream()
        } else {
            let base = format_ident!("{}", word(&item.self_ty).unwrap_or_default());
            quote!(#base<#(#types),*>)
        };
        entries.push(entry(&options, &instance.oids, &item, &state, &add_shape, &finish_shape));
    }
    let name = definition(&item.self_ty);
    let doc = format!("What `{}` defines.", word(&item.self_ty).unwrap_or_default());
    Ok(quote! {
        #item
        #[doc = #doc]
        #[allow(non_upper_case_globals)]
        pub const #name: &[::ext::AggregateDefinition] = &[#(#entries),*];
    })
}

fn entry(
    options: &Options,
    oids: &[syn::LitInt],
    item: &ItemImpl,
    state: &TokenStream,
    add: &Shape,
    finish: &Shape,
) -> TokenStream {
    let label = word(&item.self_ty).unwrap_or_default();
    let name = match &options.name {
        Some(n) => quote!(#n),
        None => quote!(#label),
    };
    let strict = options.strict || !add.sees_null();
    let (accepts, _) = checks(add);
    let (_, produces) = checks(finish);
    let (take, passed) = take_arguments(add, &label);
    let call = add.takes_call.then(|| quote!(call,));
    let question = add.fallible.then(|| quote!(?));
    let null_check = (strict && !add.args.is_empty()).then(|| {
        quote!(if args.iter().any(::ext::Datum::is_null) {
            return Ok(());
        })
    });
    let finish_call = finish.takes_call.then(|| quote!(call));
    let finish_question = finish.fallible.then(|| quote!(?));
    let columnar = !add.args.is_empty() && !add.args.iter().any(|a| matches!(a.kind, Kind::Any | Kind::Rest));
    // Vectors: typed columns where the arguments allow it, else row by row.
    let add_vector = if method(item, "add_vector").is_some() {
        quote!(State::add_vector(states, call, args, rows, groups))
    } else if columnar {
        let columns = add.args.iter().zip(&passed).map(|(a, v)| {
            let ty = &a.ty;
            quote!(let #v = <#ty as ::ext::Argument<'_>>::column(#v)?;)
        });
        let gets: Vec<_> = add
            .args
            .iter()
            .zip(&passed)
            .map(|(a, v)| {
                let ty = &a.ty;
                quote!(<#ty as ::ext::Argument<'_>>::get(#v, row)?)
            })
            .collect();
        let nulls = strict.then(|| quote!(let nulls = ::ext::kernel::nulls(args);));
        let skip = strict.then(|| {
            quote!(if nulls.get(row) {
                return Ok(());
            })
        });
        let slice =
            (method(item, "add_slice").is_some() && add.args.len() == 1 && is_lane(&add.args[0].ty)).then(|| {
                let ty = &add.args[0].ty;
                quote! {
                    if let ::ext::Rowset::All(rows) = rows && groups.is_none() && args[0].nulls.none() {
                        let values = <#ty as ::ext::Lane>::slice(args[0])?;
                        return states[0].add_slice(&values[..rows]);
                    }
                }
            });
        quote! {
            let [#(#passed),*] = args else { return Err(::ext::wrong_arguments(#label)) };
            #slice
            #(#columns)*
            #nulls
            rows.each(|row| {
                #skip
                let group = groups.map_or(0, |g| g[row] as usize);
                states[group].add(#call #(#gets),*)#question;
                Ok(())
            })
        }
    } else {
        quote! {
            let mut values = Vec::with_capacity(args.len());
            rows.each(|row| {
                values.clear();
                values.extend(args.iter().map(|a| a.get(row)));
                let group = groups.map_or(0, |g| g[row] as usize);
                add(&mut states[group], call, &values)
            })
        }
    };
    let can_merge = method(item, "merge").is_some();
    let merge = match method(item, "merge") {
        Some(_) => quote!(into.merge(from)),
        None => quote! {{
            let _ = (into, from);
            Err(::ext::SqlError::unsupported(concat!("merging states of aggregate ", #label)))
        }},
    };
    let (remove, can_remove) = match method(item, "remove") {
        Some(f) => {
            let q = matches!(&f.sig.output, syn::ReturnType::Type(_, t) if word(t).is_some_and(|w| w == "Result"))
                .then(|| quote!(?));
            let code = quote! {
                let _ = &call;
                #null_check
                #take
                state.remove(#call #(#passed),*)#q;
                Ok(())
            };
            (code, true)
        }
        None => (
            quote! {
                let _ = (state, call, args);
                Err(::ext::SqlError::unsupported(concat!("removing rows from aggregate ", #label)))
            },
            false,
        ),
    };
    let bytes = match method(item, "bytes") {
        Some(_) => quote!(state.bytes()),
        None => quote!({
            let _ = state;
            0
        }),
    };
    quote! {
        {
            type State = #state;
            fn add(state: &mut State, call: &mut ::ext::Call<'_>, args: &[::ext::Datum]) -> ::ext::Result<()> {
                let _ = &call;
                #null_check
                #take
                state.add(#call #(#passed),*)#question;
                Ok(())
            }
            fn remove(state: &mut State, call: &mut ::ext::Call<'_>, args: &[::ext::Datum]) -> ::ext::Result<()> {
                #remove
            }
            fn add_vector(
                states: &mut [State],
                call: &mut ::ext::Call<'_>,
                args: &[&::ext::Vector],
                rows: ::ext::Rowset<'_>,
                groups: Option<&[u32]>,
            ) -> ::ext::Result<()> {
                let _ = &call;
                #add_vector
            }
            fn merge(into: &mut State, from: &State) -> ::ext::Result<()> {
                #merge
            }
            fn finish(state: &State, call: &mut ::ext::Call<'_>) -> ::ext::Result<::ext::Datum> {
                let _ = &call;
                Ok(::ext::Output::into_datum(state.finish(#finish_call)#finish_question))
            }
            fn bytes(state: &State) -> usize {
                #bytes
            }
            const STEPS: ::ext::Steps<State> = ::ext::Steps { add, remove, add_vector, merge, finish, bytes };
            fn groups() -> Box<dyn ::ext::Groups> {
                Box::new(::ext::GroupStates::new(&STEPS))
            }
            ::ext::AggregateDefinition {
                oids: &[#(#oids),*],
                name: #name,
                arguments: #accepts,
                result: #produces,
                can_remove: #can_remove,
                can_merge: #can_merge,
                groups,
            }
        }
    }
}
