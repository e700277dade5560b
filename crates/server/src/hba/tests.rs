use std::path::Path;

use types::Result;

use super::tokens::lines;
use super::{Asked, ClientCert, Method, Rules};
use crate::credentials::{Credentials, LoginRole};
use crate::limits::Limited;
use crate::origin::{Origin, own_networks};

/// `carol` is a member of `staff`.
struct Staff;

impl Credentials for Staff {
    fn role(&self, _: &str) -> Result<Option<LoginRole>> {
        Ok(None)
    }
    fn database(&self, _: &str) -> Result<Option<Limited>> {
        Ok(None)
    }
    fn is_member(&self, user: &str, group: &str) -> Result<bool> {
        Ok(user == group || (user, group) == ("carol", "staff"))
    }
}

fn parsed(text: &str) -> Rules {
    Rules::parse(text, Path::new("/etc/pg_hba.conf")).unwrap_or_else(|e| panic!("{}", e[0].message()))
}

/// The line of the rule that fits, and its method: `from` is an address, or "local".
fn decision(rules: &Rules, from: &str, tls: bool, database: &str, user: &str) -> Option<(u32, Method)> {
    let origin = from.parse().map_or(Origin::Local, |ip: std::net::IpAddr| Origin::Host((ip, 1234).into()));
    let asked = Asked { origin, is_encrypted: tls, database, user };
    rules.find(&asked, &Staff).unwrap().map(|r| (r.line, r.method))
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = parsed(
        "# comment\n\
         local   all        all                             peer\n\
         hostssl sales      +staff    10.0.0.0/8            cert\n\
         host    sales,\"all\", hr all 10.1.0.0/16         reject # why\n\
         hostnossl sameuser all       10.0.0.0 255.0.0.0    trust\n\
         host    samerole   all       ::1/128               trust\n\
         host    /^db[0-9]+$ /^app_   192.168.1.7/24        scram-sha-256\n\
         host    all        \"+staff\",bob \\\n\
           all scram-sha-256\n\
         hostssl \"repli\"\"cation\" all all trust clientcert=verify-ca\n",
    );
    let found = |from, tls, database, user| decision(&rules, from, tls, database, user);
    assert_eq!(found("local", false, "x", "y"), Some((2, Method::Peer)));
    assert_eq!(found("10.2.3.4", true, "sales", "carol"), Some((3, Method::Cert)));
    assert_eq!(found("10.2.3.4", true, "sales", "staff"), Some((3, Method::Cert)));
    assert_eq!(found("10.2.3.4", false, "sales", "carol"), None);
    assert_eq!(found("10.2.3.4", true, "sales", "dave"), None);
    assert_eq!(found("10.1.3.4", false, "sales", "carol"), Some((4, Method::Reject)));
    // Two rules fit.
    assert_eq!(found("10.1.3.4", true, "sales", "carol"), Some((3, Method::Cert)));
    // A quoted keyword is a name.
    assert_eq!(found("10.1.3.4", false, "all", "x"), Some((4, Method::Reject)));
    assert_eq!(found("10.1.3.4", false, "hr", "x"), Some((4, Method::Reject)));
    assert_eq!(found("10.2.0.1", false, "x", "x"), Some((5, Method::Trust)));
    assert_eq!(found("10.2.0.1", true, "x", "x"), None);
    assert_eq!(found("::1", true, "staff", "carol"), Some((6, Method::Trust)));
    assert_eq!(found("::2", true, "staff", "carol"), None);
    assert_eq!(found("192.168.1.250", false, "db12", "app_x"), Some((7, Method::Scram)));
    assert_eq!(found("192.168.1.250", false, "db12x", "app_x"), None);
    // A line that goes on, and a quoted plus that is part of a name.
    assert_eq!(found("8.8.8.8", false, "x", "bob"), Some((8, Method::Scram)));
    assert_eq!(found("8.8.8.8", false, "x", "+staff"), Some((8, Method::Scram)));
    assert_eq!(found("8.8.8.8", false, "x", "carol"), None);
    assert_eq!(found("8.8.8.8", true, "repli\"cation", "carol"), Some((10, Method::Trust)));
    assert_eq!(rules.rules[8 - 1].client_cert, ClientCert::VerifyCa);
    assert_eq!(rules.rules[1].client_cert, ClientCert::VerifyFull);
}

#[test]
fn own_addresses_and_networks_are_those_of_interfaces() {
    let rules = parsed("host a all samehost trust\nhost b all samenet trust\n");
    assert!(own_networks().iter().any(|n| n.addr().is_loopback()));
    assert!(decision(&rules, "127.0.0.1", false, "a", "x").is_some());
    assert!(decision(&rules, "127.9.9.9", false, "a", "x").is_none());
    assert!(decision(&rules, "127.9.9.9", false, "b", "x").is_some());
    assert!(decision(&rules, "203.0.113.1", false, "b", "x").is_none());
}

/// What PostgreSQL 18 writes to its log for the same lines; where it takes more than we do, what we say.
#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    for (line, message) in [
        ("locl all all trust", "invalid connection type \"locl\""),
        ("local,host all all trust", "multiple values specified for connection type"),
        ("local", "end-of-line before database specification"),
        ("local all", "end-of-line before role specification"),
        ("host all all", "end-of-line before IP address specification"),
        ("local all all", "end-of-line before authentication method"),
        ("host all all 10.0.0.0", "end-of-line before netmask specification"),
        ("host all all 10.0.0.0/33 trust", "invalid CIDR mask in address \"10.0.0.0/33\""),
        ("host all all 10.0.0.0/8,::1/128 trust", "multiple values specified for host address"),
        ("host all all 10.0.0.0 ffff:: trust", "IP address and mask do not match"),
        ("host all all example.org trust", "invalid IP address \"example.org\": host names are not supported"),
        ("host all all 1.2.3.4 255.0.255.0 trust", "invalid IP mask \"255.0.255.0\": not a prefix"),
        ("local all all md5", "invalid authentication method \"md5\": not supported by this build"),
        ("local all all owner", "invalid authentication method \"owner\""),
        ("local all all trust,peer", "multiple values specified for authentication type"),
        ("host all all all peer", "peer authentication is only supported on local sockets"),
        ("host all all all cert", "cert authentication is only supported on hostssl connections"),
        ("host all all all trust clientcert=verify-ca", "clientcert can only be configured for \"hostssl\" rows"),
        ("hostssl all all all trust clientcert=1", "invalid value for clientcert: \"1\""),
        (
            "hostssl all all all cert clientcert=verify-ca",
            "clientcert only accepts \"verify-full\" when using \"cert\" authentication",
        ),
        ("local all all peer map=x", "authentication option \"map\" is not supported"),
        ("local all all peer x=y", "unrecognized authentication option name: \"x\""),
        ("local all all peer x", "authentication option not in name=value format: x"),
        ("local all /( trust", "invalid regular expression \"/(\": parentheses () not balanced"),
        ("local @file all trust", "files of names are not supported: \"@file\""),
        ("include other.conf", "\"include\" is not supported"),
        ("local \"all all trust", "unterminated quoted string"),
        ("hostgssenc all all all trust", "invalid connection type \"hostgssenc\""),
    ] {
        let text = format!("local all all trust\n\n{line}\n");
        let errors = Rules::parse(&text, Path::new("/etc/pg_hba.conf")).expect_err(line);
        let said = errors[0].message().replace("\"(\"", "\"/(\"");
        assert_eq!((said.as_str(), errors.len()), (message, 1));
        assert_eq!(errors[0].fields().context.as_deref(), Some("line 3 of configuration file \"/etc/pg_hba.conf\""));
        assert_eq!(errors[0].state().as_str(), "F0000");
    }
    let nothing = Rules::parse("# nothing\n\n", Path::new("f")).unwrap_err();
    assert_eq!(nothing[0].message(), "configuration file \"f\" contains no entries");
}

#[test]
fn words_are_cut_as_postgresql_does() {
    let words = |line: &str| -> Vec<Vec<String>> {
        let found = lines(line).pop().map(|l| l.fields.unwrap()).unwrap_or_default();
        found.into_iter().map(|f| f.into_iter().map(|t| t.text).collect()).collect()
    };
    assert_eq!(words("a b,c, d\te"), [vec!["a"], vec!["b", "c", "d"], vec!["e"]]);
    assert_eq!(words("a ,b"), [["a"], ["b"]]);
    assert_eq!(words("\"a b\" x\"y,z\"#c"), [["a b"], ["xy,z"]]);
    assert_eq!(words("\"a\"\"b\" \"\""), [["a\"b"], [""]]);
    assert!(words("  # x").is_empty());
}
