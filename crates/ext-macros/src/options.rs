//! What an attribute says in its parentheses.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitInt, LitStr, Token, Type, bracketed, parenthesized};

/// One instance of a definition: the types for its generic parameters, and the OIDs it serves.
pub struct Instance {
    pub types: Vec<Type>,
    pub oids: Vec<LitInt>,
}

#[derive(Default)]
pub struct Options {
    pub instances: Vec<Instance>,
    pub name: Option<LitStr>,
    /// `b'i'`, `b's'` or `b'v'`.
    pub volatility: u8,
    pub strict: bool,
    /// No kernel of its own: rows go one by one through the scalar form.
    pub rows: bool,
}

fn oids(input: ParseStream<'_>) -> syn::Result<Vec<LitInt>> {
    if input.peek(syn::token::Bracket) {
        let list;
        bracketed!(list in input);
        return Ok(Punctuated::<LitInt, Token![,]>::parse_terminated(&list)?.into_iter().collect());
    }
    Ok(vec![input.parse()?])
}

fn instance(input: ParseStream<'_>) -> syn::Result<Instance> {
    let types = match input.parse::<Type>()? {
        Type::Tuple(t) => t.elems.into_iter().collect(),
        t => vec![t],
    };
    input.parse::<Token![=]>()?;
    Ok(Instance { types, oids: oids(input)? })
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Options> {
        let mut o = Options { volatility: b'i', ..Options::default() };
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            match key.to_string().as_str() {
                "oid" => {
                    input.parse::<Token![=]>()?;
                    o.instances.push(Instance { types: Vec::new(), oids: oids(input)? });
                }
                "each" => {
                    let list;
                    parenthesized!(list in input);
                    o.instances.extend(list.parse_terminated(instance, Token![,])?);
                }
                "name" => {
                    input.parse::<Token![=]>()?;
                    o.name = Some(input.parse()?);
                }
                "immutable" => o.volatility = b'i',
                "stable" => o.volatility = b's',
                "volatile" => o.volatility = b'v',
                "strict" => o.strict = true,
                "rows" => o.rows = true,
                _ => {
                    let message = "expected oid, each, name, immutable, stable, volatile, strict or rows";
                    return Err(syn::Error::new(key.span(), message));
                }
            }
            if input.is_empty() {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        if o.name.is_some() {
            o.instances.push(Instance { types: Vec::new(), oids: Vec::new() });
        }
        if o.instances.is_empty() {
            return Err(input.error("an oid or a name is needed"));
        }
        Ok(o)
    }
}
