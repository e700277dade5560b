//! Compiles the stencils, takes the object file apart, checks every relocation, and writes the tables that are compiled into this crate.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

#[path = "stencils.rs"]
mod stencils;

fn main() {
    for source in ["stencils", "../ops/src", "build", "src/patch.rs", "src/tile/header.rs", "src/call/header.rs"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let var = |name: &str| env::var(name).unwrap_or_default();
    let (target, rustc) = (var("TARGET"), var("RUSTC"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let families = stencils::families(&target);
    for name in stencils::NAMES {
        let table = match families.iter().find(|f| f.name == name) {
            Some(family) => stencils::table(family, &rustc, &target, &out.join(name).with_extension("o")),
            None => stencils::NONE.to_owned(),
        };
        fs::write(out.join(name).with_extension("rs"), table).expect("the output directory can be written to");
    }
    // For tests: other compilers give other bytes.
    let version = Command::new(&rustc).arg("--version").output().expect("rustc runs").stdout;
    println!("cargo::rustc-env=JIT_RUSTC={rustc}");
    println!("cargo::rustc-env=JIT_TARGET={target}");
    println!("cargo::rustc-env=JIT_RUSTC_VERSION={}", String::from_utf8_lossy(&version).trim());
}
