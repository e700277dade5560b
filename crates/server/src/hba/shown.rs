//! Rules as `pg_hba_file_rules` shows them.

use types::array::Array;
use types::{Datum, oid};

use super::{Addresses, ClientCert, Databases, Kind, Method, Rule, Rules, Users};

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Local => "local",
            Kind::Host => "host",
            Kind::HostSsl => "hostssl",
            Kind::HostNoSsl => "hostnossl",
        }
    }
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Trust => "trust",
            Method::Reject => "reject",
            Method::Scram => "scram-sha-256",
            Method::Peer => "peer",
            Method::Cert => "cert",
            Method::Owner => "owner",
        }
    }
}

impl Databases {
    fn shown(&self) -> String {
        match self {
            Databases::All => "all".to_owned(),
            Databases::SameUser => "sameuser".to_owned(),
            Databases::SameRole => "samerole".to_owned(),
            Databases::Replication => "replication".to_owned(),
            Databases::Name(name) => name.clone(),
            Databases::Matching(pattern, _) => format!("/{pattern}"),
        }
    }
}

impl Users {
    fn shown(&self) -> String {
        match self {
            Users::All => "all".to_owned(),
            Users::Group(group) => format!("+{group}"),
            Users::Name(name) => name.clone(),
            Users::Matching(pattern, _) => format!("/{pattern}"),
        }
    }
}

fn texts(all: impl Iterator<Item = String>) -> Datum {
    Array::one_dimensional(oid::TEXT, all.map(|text| Datum::text(&text)).collect()).to_datum()
}

fn number(n: usize) -> Datum {
    Datum::I32(i32::try_from(n).unwrap_or(i32::MAX))
}

impl Rules {
    /// A row for each rule.
    pub fn rows(&self) -> Vec<Vec<Datum>> {
        let file = self.file.as_ref().map_or(Datum::Null, |f| Datum::text(&f.display().to_string()));
        let row = |(i, rule): (usize, &Rule)| {
            let (address, mask) = match rule.addresses {
                Addresses::None => (Datum::Null, Datum::Null),
                Addresses::All => (Datum::text("all"), Datum::Null),
                Addresses::SameHost => (Datum::text("samehost"), Datum::Null),
                Addresses::SameNet => (Datum::text("samenet"), Datum::Null),
                Addresses::Network(n) => (Datum::text(&n.addr().to_string()), Datum::text(&n.netmask().to_string())),
            };
            let options = match rule.client_cert {
                ClientCert::Any => Datum::Null,
                ClientCert::VerifyCa => texts(std::iter::once("clientcert=verify-ca".to_owned())),
                ClientCert::VerifyFull => texts(std::iter::once("clientcert=verify-full".to_owned())),
            };
            vec![
                number(i + 1),
                file.clone(),
                if rule.line == 0 { Datum::Null } else { number(rule.line as usize) },
                Datum::text(rule.kind.name()),
                texts(rule.databases.iter().map(Databases::shown)),
                texts(rule.users.iter().map(Users::shown)),
                address,
                mask,
                Datum::text(rule.method.name()),
                options,
                Datum::Null,
            ]
        };
        self.rules.iter().enumerate().map(row).collect()
    }
}
