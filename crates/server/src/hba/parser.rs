//! A line of a pg_hba.conf as a rule. What is refused is refused in PostgreSQL's words, where it has some.

use std::net::IpAddr;

use functions::Pattern;
use ipnet::IpNet;
use types::{Result, SqlError};

use super::tokens::{Line, Token};
use super::{Addresses, ClientCert, Databases, Kind, Method, Rule, Users, refused};

/// PostgreSQL's methods that there are none of here.
const OTHER_METHODS: [&str; 10] = ["ident", "md5", "password", "gss", "sspi", "pam", "bsd", "ldap", "radius", "oauth"];

/// The fields of a line that are left.
struct Fields(std::vec::IntoIter<Vec<Token>>);

impl Fields {
    fn list(&mut self, what: &str) -> Result<Vec<Token>> {
        self.0.next().ok_or_else(|| refused(format!("end-of-line before {what}")))
    }

    /// A field that is one word.
    fn one(&mut self, before: &str, what: &str, hint: &str) -> Result<Token> {
        single(self.list(before)?, what, hint)
    }
}

fn single(mut list: Vec<Token>, what: &str, hint: &str) -> Result<Token> {
    match list.pop().filter(|_| list.is_empty()) {
        Some(token) => Ok(token),
        None => Err(refused(format!("multiple values specified for {what}")).hint(hint)),
    }
}

fn invalid(what: &str, value: &str) -> SqlError {
    refused(format!("invalid {what} \"{value}\""))
}

/// Reads a line.
pub fn rule(line: Line) -> Result<Rule> {
    let mut fields = Fields(line.fields.ok_or_else(|| refused("unterminated quoted string"))?.into_iter());
    let hint = "Specify exactly one connection type per line.";
    let kind = fields.one("connection type", "connection type", hint)?;
    let kind = match &*kind.text {
        "local" => Kind::Local,
        "host" => Kind::Host,
        "hostssl" => Kind::HostSsl,
        "hostnossl" => Kind::HostNoSsl,
        "include" | "include_if_exists" | "include_dir" => {
            return Err(refused(format!("\"{}\" is not supported", kind.text)));
        }
        other => return Err(invalid("connection type", other)),
    };
    let databases = fields.list("database specification")?.into_iter().map(database).collect::<Result<_>>()?;
    let users = fields.list("role specification")?.into_iter().map(user).collect::<Result<_>>()?;
    let addresses = if kind == Kind::Local { Addresses::None } else { addresses(&mut fields)? };
    let hint = "Specify exactly one authentication type per line.";
    let method = fields.one("authentication method", "authentication type", hint)?;
    let method = match &*method.text {
        "trust" => Method::Trust,
        "reject" => Method::Reject,
        "scram-sha-256" => Method::Scram,
        "peer" if kind == Kind::Local => Method::Peer,
        "peer" => return Err(refused("peer authentication is only supported on local sockets")),
        "cert" if kind == Kind::HostSsl => Method::Cert,
        "cert" => return Err(refused("cert authentication is only supported on hostssl connections")),
        other if OTHER_METHODS.contains(&other) => {
            return Err(refused(format!("invalid authentication method \"{other}\": not supported by this build")));
        }
        other => return Err(invalid("authentication method", other)),
    };
    let mut client_cert = if method == Method::Cert { ClientCert::VerifyFull } else { ClientCert::Any };
    for option in fields.0.flatten() {
        client_cert = client_certificate(&option.text, kind, method)?;
    }
    Ok(Rule { line: line.number, kind, databases, users, addresses, method, client_cert })
}

/// The value of the only option there is.
fn client_certificate(option: &str, kind: Kind, method: Method) -> Result<ClientCert> {
    let Some((name, value)) = option.split_once('=') else {
        return Err(refused(format!("authentication option not in name=value format: {option}")));
    };
    match (name, value) {
        ("clientcert", _) if kind != Kind::HostSsl => {
            Err(refused("clientcert can only be configured for \"hostssl\" rows"))
        }
        ("clientcert", "verify-full") => Ok(ClientCert::VerifyFull),
        ("clientcert", "verify-ca") if method == Method::Cert => {
            Err(refused("clientcert only accepts \"verify-full\" when using \"cert\" authentication"))
        }
        ("clientcert", "verify-ca") => Ok(ClientCert::VerifyCa),
        ("clientcert", value) => Err(refused(format!("invalid value for clientcert: \"{value}\""))),
        ("map" | "clientname", _) => Err(refused(format!("authentication option \"{name}\" is not supported"))),
        _ => Err(refused(format!("unrecognized authentication option name: \"{name}\""))),
    }
}

/// A name, unless it stands for more.
fn plain(token: &Token) -> Result<()> {
    if !token.quoted && token.text.len() > 1 && token.text.starts_with('@') {
        return Err(refused(format!("files of names are not supported: \"{}\"", token.text)));
    }
    Ok(())
}

fn pattern(text: &str) -> Result<Pattern> {
    Pattern::new(text).map_err(|e| {
        let why = e.message().strip_prefix("invalid regular expression: ").unwrap_or(e.message());
        refused(format!("invalid regular expression \"{text}\": {why}"))
    })
}

fn database(token: Token) -> Result<Databases> {
    plain(&token)?;
    Ok(match &*token.text {
        _ if token.is("all") => Databases::All,
        _ if token.is("sameuser") => Databases::SameUser,
        _ if token.is("samerole") || token.is("samegroup") => Databases::SameRole,
        _ if token.is("replication") => Databases::Replication,
        text => match text.strip_prefix('/') {
            Some(text) => Databases::Matching(text.to_owned(), pattern(text)?),
            None => Databases::Name(token.text),
        },
    })
}

fn user(token: Token) -> Result<Users> {
    plain(&token)?;
    if token.is("all") {
        return Ok(Users::All);
    }
    if let Some(group) = token.text.strip_prefix('+').filter(|_| !token.quoted) {
        return Ok(Users::Group(group.to_owned()));
    }
    Ok(match token.text.strip_prefix('/') {
        Some(text) => Users::Matching(text.to_owned(), pattern(text)?),
        None => Users::Name(token.text),
    })
}

fn addresses(fields: &mut Fields) -> Result<Addresses> {
    let hint = "Specify one address range per line.";
    let token = fields.one("IP address specification", "host address", hint)?;
    match &*token.text {
        _ if token.is("all") => return Ok(Addresses::All),
        _ if token.is("samehost") => return Ok(Addresses::SameHost),
        _ if token.is("samenet") => return Ok(Addresses::SameNet),
        _ => {}
    }
    let text = &*token.text;
    let address = |text: &str| {
        text.parse::<IpAddr>()
            .map_err(|_| refused(format!("invalid IP address \"{text}\": host names are not supported")))
    };
    if let Some((start, bits)) = text.split_once('/') {
        let start = address(start)?;
        let bits = bits.parse().ok().and_then(|bits| IpNet::new(start, bits).ok());
        return bits.map(Addresses::Network).ok_or_else(|| refused(format!("invalid CIDR mask in address \"{text}\"")));
    }
    let start = address(text)?;
    let hint = "Specify an address range in CIDR notation, or provide a separate netmask.";
    let list = fields.list("netmask specification").map_err(|e| e.hint(hint))?;
    let mask = single(list, "netmask", "Specify one netmask per address.")?.text;
    let mask: IpAddr = mask.parse().map_err(|_| refused(format!("invalid IP mask \"{mask}\"")))?;
    if mask.is_ipv4() != start.is_ipv4() {
        return Err(refused("IP address and mask do not match"));
    }
    let network = IpNet::with_netmask(start, mask);
    network.map(Addresses::Network).map_err(|_| refused(format!("invalid IP mask \"{mask}\": not a prefix")))
}
