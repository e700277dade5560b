//! `#[function]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{ItemFn, LitInt};

use crate::options::{Instance, Options};
use crate::signature::{Kind, Shape, is_lane};

/// The constant that an attributed item leaves its definitions in.
pub fn constant(name: &syn::Ident) -> syn::Ident {
    format_ident!("DEFINE_{}", name)
}

pub fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options: Options = syn::parse2(options)?;
    let item: ItemFn = syn::parse2(item)?;
    let mut entries = Vec::new();
    for i in &options.instances {
        entries.push(define(&options, i, &item)?);
    }
    let name = constant(&item.sig.ident);
    let doc = format!("What `{}` defines.", item.sig.ident);
    Ok(quote! {
        #item
        #[doc = #doc]
        #[allow(non_upper_case_globals)]
        pub const #name: &[::ext::Definition] = &[#(#entries),*];
    })
}

/// Statements that take the arguments out of `args`, and the expressions to call with.
pub fn take_arguments(shape: &Shape, label: &str) -> (TokenStream, Vec<TokenStream>) {
    let mut patterns = Vec::new();
    let mut reads = Vec::new();
    let mut passed = Vec::new();
    for (i, a) in shape.args.iter().enumerate() {
        let v = format_ident!("a{}", i);
        let ty = &a.ty;
        match a.kind {
            Kind::Rest => patterns.push(quote!(#v @ ..)),
            Kind::Any => patterns.push(quote!(#v)),
            _ => {
                patterns.push(quote!(#v));
                reads.push(quote!(let #v = <#ty as ::ext::Argument<'_>>::from_datum(#v)?;));
            }
        }
        passed.push(quote!(#v));
    }
    let code = quote! {
        let [#(#patterns),*] = args else { return Err(::ext::wrong_arguments(#label)) };
        #(#reads)*
    };
    (code, passed)
}

/// Expressions for the types an argument list accepts, and for what a result may be.
pub fn checks(shape: &Shape) -> (TokenStream, TokenStream) {
    let accepts = shape.args.iter().map(|a| {
        let ty = &a.ty;
        match a.kind {
            Kind::Rest => quote!(::ext::Accepts::Rest),
            Kind::Any => quote!(::ext::Accepts::Any),
            _ => quote!(::ext::Accepts::Some(
                <#ty as ::ext::Argument<'_>>::accepts,
                <#ty as ::ext::Argument<'_>>::OID,
            )),
        }
    });
    let out = &shape.output;
    (
        quote!(&[#(#accepts),*]),
        quote!(::ext::Accepts::Some(<#out as ::ext::Output>::produces, <#out as ::ext::Output>::OID)),
    )
}

fn define(options: &Options, instance: &Instance, item: &ItemFn) -> syn::Result<TokenStream> {
    let shape = Shape::of(&item.sig, &instance.types)?;
    let ident = &item.sig.ident;
    let types = &instance.types;
    let path = if types.is_empty() { quote!(#ident) } else { quote!(#ident::<#(#types),*>) };
    let label = ident.to_string();
    let strict = options.strict || !shape.sees_null();
    let (accepts, produces) = checks(&shape);
    let (take, passed) = take_arguments(&shape, &label);
    let call = shape.takes_call.then(|| quote!(call,));
    let question = shape.fallible.then(|| quote!(?));
    let null_check = strict.then(|| {
        quote!(if args.iter().any(::ext::Datum::is_null) {
            return Ok(::ext::Datum::Null);
        })
    });
    let scalar = quote! {
        fn scalar(call: &mut ::ext::Call<'_>, args: &[::ext::Datum]) -> ::ext::Result<::ext::Datum> {
            let _ = &call;
            #null_check
            #take
            let value = #path(#call #(#passed),*)#question;
            Ok(::ext::Output::into_datum(value))
        }
    };
    let by_rows =
        options.rows || shape.args.is_empty() || shape.args.iter().any(|a| matches!(a.kind, Kind::Any | Kind::Rest));
    let lanes = strict
        && !shape.takes_call
        && shape.args.len() <= 3
        && !shape.args.is_empty()
        && shape.args.iter().all(|a| a.kind == Kind::Lane)
        && is_lane(&shape.output)
        && (shape.fails_plainly || !shape.fallible);
    let kernel = if lanes && !options.rows {
        let loops = format_ident!("lanes{}", shape.args.len());
        let body = if shape.fallible { quote!(#path(#(#passed),*)) } else { quote!(Ok(#path(#(#passed),*))) };
        let (tys, out): (Vec<_>, _) = (shape.args.iter().map(|a| &a.ty).collect(), &shape.output);
        quote! {
            fn kernel(_: &mut ::ext::Call<'_>, args: &[&::ext::Vector], rows: usize) -> ::ext::Result<::ext::Vector> {
                ::ext::kernel::#loops::<#(#tys,)* #out>(args, rows, |#(#passed),*| #body)
            }
        }
    } else if by_rows {
        quote! {
            fn kernel(call: &mut ::ext::Call<'_>, args: &[&::ext::Vector], rows: usize) -> ::ext::Result<::ext::Vector> {
                ::ext::kernel::by_rows(scalar, call, args, rows)
            }
        }
    } else {
        let columns = shape.args.iter().zip(&passed).map(|(a, v)| {
            let ty = &a.ty;
            quote!(let #v = <#ty as ::ext::Argument<'_>>::column(#v)?;)
        });
        let gets = shape.args.iter().zip(&passed).map(|(a, v)| {
            let ty = &a.ty;
            quote!(<#ty as ::ext::Argument<'_>>::get(#v, row)?)
        });
        let nulls = strict.then(|| quote!(let nulls = ::ext::kernel::nulls(args);));
        let skip = strict.then(|| {
            quote! {
                if nulls.get(row) {
                    out.push_null();
                    continue;
                }
            }
        });
        let out_ty = &shape.output;
        quote! {
            fn kernel(call: &mut ::ext::Call<'_>, args: &[&::ext::Vector], rows: usize) -> ::ext::Result<::ext::Vector> {
                let [#(#passed),*] = args else { return Err(::ext::wrong_arguments(#label)) };
                let mut out = ::ext::kernel::output::<#out_ty>(call);
                #nulls
                #(#columns)*
                for row in 0..rows {
                    #skip
                    let value = #path(#call #(#gets),*)#question;
                    ::ext::Output::push(value, &mut out);
                }
                Ok(out)
            }
        }
    };
    let oids: Vec<LitInt> = instance.oids.clone();
    let name = match &options.name {
        Some(n) => quote!(#n),
        None => quote!(#label),
    };
    let volatility = options.volatility;
    Ok(quote! {
        {
            #scalar
            #kernel
            ::ext::Definition {
                oids: &[#(#oids),*],
                name: #name,
                arguments: #accepts,
                result: #produces,
                volatility: #volatility,
                function: ::ext::Function { scalar, kernel, strict: #strict },
            }
        }
    })
}
