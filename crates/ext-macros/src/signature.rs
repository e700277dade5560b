//! What a Rust signature says about its SQL function.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, GenericParam, ReturnType, Signature, Type};

/// How an argument comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A plain value of fixed width.
    Lane,
    /// Some other value, read by `ext::Argument`.
    Value,
    /// A value or NULL.
    Nullable,
    /// `&Datum`: whatever it is, NULL too.
    Any,
    /// `&[Datum]`: all further arguments.
    Rest,
}

pub struct Argument {
    pub ty: Type,
    pub kind: Kind,
}

pub struct Shape {
    /// Whether the first parameter is the call.
    pub takes_call: bool,
    pub args: Vec<Argument>,
    /// Whether it returns a `Result`.
    pub fallible: bool,
    /// Whether the error is `Fail`, plain data.
    pub fails_plainly: bool,
    /// The type of the result, inside `Result`.
    pub output: Type,
}

const LANES: [&str; 15] = [
    "bool",
    "i8",
    "i16",
    "i32",
    "i64",
    "u32",
    "f32",
    "f64",
    "Oid",
    "Date",
    "Time",
    "Timestamp",
    "Timestamptz",
    "Money",
    "Lsn",
];

/// The last word of a path type.
pub fn word(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(p) => p.path.segments.last().map(|s| s.ident.to_string()),
        _ => None,
    }
}

pub fn is_lane(ty: &Type) -> bool {
    word(ty).is_some_and(|w| LANES.contains(&w.as_str()))
}

fn generics(ty: &Type) -> Vec<Type> {
    let Type::Path(p) = ty else { return Vec::new() };
    let Some(last) = p.path.segments.last() else { return Vec::new() };
    let syn::PathArguments::AngleBracketed(list) = &last.arguments else { return Vec::new() };
    list.args
        .iter()
        .filter_map(|a| match a {
            syn::GenericArgument::Type(t) => Some(t.clone()),
            _ => None,
        })
        .collect()
}

/// Whether `ty` is `Option<..>`.
pub fn is_option(ty: &Type) -> bool {
    word(ty).is_some_and(|w| w == "Option")
}

fn kind(ty: &Type) -> Kind {
    if is_lane(ty) {
        return Kind::Lane;
    }
    if is_option(ty) {
        return Kind::Nullable;
    }
    if let Type::Reference(r) = ty {
        match &*r.elem {
            Type::Slice(s) if word(&s.elem).is_some_and(|w| w == "Datum") => return Kind::Rest,
            t if word(t).is_some_and(|w| w == "Datum") => return Kind::Any,
            _ => {}
        }
    }
    Kind::Value
}

/// Replaces generic parameters by types, and named lifetimes by `'_`.
fn substitute(tokens: TokenStream, names: &[String], types: &[Type]) -> TokenStream {
    let mut after_quote = false;
    tokens
        .into_iter()
        .flat_map(|t| {
            let is_lifetime =
                std::mem::replace(&mut after_quote, matches!(&t, TokenTree::Punct(p) if p.as_char() == '\''));
            match t {
                TokenTree::Ident(i) if is_lifetime && i != "static" => {
                    TokenTree::Ident(proc_macro2::Ident::new("_", i.span())).into()
                }
                TokenTree::Ident(i) => match names.iter().position(|n| i == n) {
                    Some(at) => types[at].to_token_stream(),
                    None => TokenTree::Ident(i).into(),
                },
                TokenTree::Group(g) => {
                    TokenTree::Group(Group::new(g.delimiter(), substitute(g.stream(), names, types))).into()
                }
                other => other.into(),
            }
        })
        .collect()
}

fn replaced(ty: &Type, names: &[String], types: &[Type]) -> syn::Result<Type> {
    syn::parse2(substitute(ty.to_token_stream(), names, types))
}

impl Shape {
    /// Of `signature`, with `types` for its generic parameters.
    pub fn of(signature: &Signature, types: &[Type]) -> syn::Result<Shape> {
        let names: Vec<String> = signature
            .generics
            .params
            .iter()
            .filter_map(|p| match p {
                GenericParam::Type(t) => Some(t.ident.to_string()),
                _ => None,
            })
            .collect();
        if names.len() != types.len() {
            let message = "`each` must name a type for every generic parameter";
            return Err(syn::Error::new_spanned(&signature.ident, message));
        }
        let mut takes_call = false;
        let mut args = Vec::new();
        for input in &signature.inputs {
            let FnArg::Typed(p) = input else { continue };
            if let Type::Reference(r) = &*p.ty
                && r.mutability.is_some()
                && word(&r.elem).is_some_and(|w| w == "Call")
            {
                takes_call = true;
                continue;
            }
            let ty = replaced(&p.ty, &names, types)?;
            args.push(Argument { kind: kind(&ty), ty });
        }
        let output = match &signature.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, t) => replaced(t, &names, types)?,
        };
        let fallible = word(&output).is_some_and(|w| w.ends_with("Result"));
        let inner = generics(&output);
        let fails_plainly = fallible && inner.get(1).and_then(word).is_some_and(|w| w == "Fail");
        let output = if fallible { inner.into_iter().next().unwrap_or(syn::parse_quote!(())) } else { output };
        Ok(Shape { takes_call, args, fallible, fails_plainly, output })
    }

    /// Whether any argument may be NULL by its Rust type.
    pub fn sees_null(&self) -> bool {
        self.args.iter().any(|a| matches!(a.kind, Kind::Nullable | Kind::Any | Kind::Rest))
    }
}
