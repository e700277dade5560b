//! Compiles the stencils, takes the object file apart, checks every relocation, and writes the table that is compiled into this crate.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

#[path = "stencils.rs"]
mod stencils;

fn main() {
    for source in ["stencils", "../ops/src", "build", "src/patch.rs"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let var = |name: &str| env::var(name).unwrap_or_default();
    let (target, rustc) = (var("TARGET"), var("RUSTC"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let known = matches!(var("CARGO_CFG_TARGET_ARCH").as_str(), "x86_64" | "aarch64");
    // Elsewhere there is no code: everything is interpreted.
    let table = if known && var("CARGO_CFG_TARGET_OS") == "linux" {
        stencils::table(&stencils::compile(&rustc, &target, &out.join("row.o")))
    } else {
        "Built { stencils: &[], digest: 0 }".to_owned()
    };
    fs::write(out.join("stencils.rs"), table).expect("the output directory can be written to");
    // For tests: other compilers give other bytes.
    let version = Command::new(&rustc).arg("--version").output().expect("rustc runs").stdout;
    println!("cargo::rustc-env=JIT_RUSTC={rustc}");
    println!("cargo::rustc-env=JIT_TARGET={target}");
    println!("cargo::rustc-env=JIT_RUSTC_VERSION={}", String::from_utf8_lossy(&version).trim());
}
