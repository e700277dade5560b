//! Compiles the stencils, takes the object file apart, checks every relocation, and writes the table that is compiled into this crate.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, elf};

const SOURCE: &str = "stencils/row.rs";

fn main() {
    for source in [SOURCE, "../ops/src/bodies.rs", "../ops/src/list.rs", "build.rs"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let var = |name: &str| env::var(name).unwrap_or_default();
    // Elsewhere there is no code: everything is interpreted.
    let known = var("CARGO_CFG_TARGET_ARCH") == "x86_64" && var("CARGO_CFG_TARGET_OS") == "linux";
    let table = if known { table(&compile(&out)) } else { "&[]".to_owned() };
    fs::write(out.join("stencils.rs"), table).expect("the output directory can be written to");
}

/// The object file of the stencils. At optimization level 0 calls at the end are no jumps, so the level is ours, whatever the profile's is.
fn compile(out: &Path) -> Vec<u8> {
    let object = out.join("row.o");
    let mut rustc = Command::new(env::var_os("RUSTC").expect("cargo sets it"));
    rustc.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTC_BOOTSTRAP");
    rustc.args([
        "--edition",
        "2024",
        "--crate-type",
        "lib",
        "--crate-name",
        "row",
        "--emit",
        "obj",
        "--cap-lints",
        "allow",
    ]);
    let target = env::var("TARGET").unwrap_or_default();
    if env::var("HOST").is_ok_and(|host| host != target) {
        rustc.args(["--target", &target]);
    }
    for option in [
        "opt-level=3",
        "panic=abort",
        "relocation-model=static",
        "code-model=medium",
        "codegen-units=1",
        "debuginfo=0",
        "force-frame-pointers=no",
        "force-unwind-tables=no",
        "overflow-checks=no",
        "debug-assertions=no",
        "jump-tables=no",
        "target-cpu=x86-64",
        "no-vectorize-loops",
        "no-vectorize-slp",
    ] {
        rustc.args(["-C", option]);
    }
    let status = rustc.arg(SOURCE).arg("-o").arg(&object).status().expect("rustc runs");
    assert!(status.success(), "the stencils do not compile");
    fs::read(&object).expect("rustc wrote it")
}

/// What a place in a stencil's code is to be filled with.
struct Patch {
    at: usize,
    what: String,
}

/// Every stencil as an item of a table, in the order of their names.
fn table(bytes: &[u8]) -> String {
    let file = object::File::parse(bytes).expect("rustc writes object files");
    let mut stencils = BTreeMap::new();
    for symbol in file.symbols().filter(|s| s.is_definition() && s.is_global()) {
        let (Ok(name), Some(index)) = (symbol.name(), symbol.section_index()) else { continue };
        let section = file.section_by_index(index).expect("of the same file");
        if !section.name().is_ok_and(|n| n.starts_with(".text.")) || name.contains("rust") {
            continue;
        }
        assert_eq!(symbol.address(), 0, "{name}: one function a section");
        let code = section.data().expect("of the same file").to_vec();
        stencils.insert(name.to_owned(), stencil(name, code, &file, &section));
    }
    assert!(stencils.len() > 100, "only {} stencils", stencils.len());
    let mut out = String::from("&[\n");
    for (name, (code, patches, falls)) in &stencils {
        let patches: Vec<String> =
            patches.iter().map(|p| format!("Patch {{ at: {}, what: What::{} }}", p.at, p.what)).collect();
        let patches = patches.join(", ");
        writeln!(out, "    Stencil {{ name: {name:?}, code: &{code:?}, patches: &[{patches}], falls: {falls} }},")
            .expect("strings can be written to");
    }
    out.push(']');
    out
}

/// The gate: a relocation that is not known to be harmless fails the build.
fn stencil<'f>(
    name: &str,
    mut code: Vec<u8>,
    file: &object::File<'f>,
    section: &object::Section<'f, '_>,
) -> (Vec<u8>, Vec<Patch>, bool) {
    let mut patches = Vec::new();
    for (at, relocation) in section.relocations() {
        let at = at as usize;
        let RelocationFlags::Elf { r_type } = relocation.flags() else { panic!("{name}: not ELF") };
        let RelocationTarget::Symbol(symbol) = relocation.target() else {
            panic!("{name}: a relocation without a symbol")
        };
        let to = file.symbol_by_index(symbol).and_then(|s| s.name()).expect("of the same file");
        let what = match to {
            "K_NEXT" | "K_JUMP" | "K_FAIL" => {
                let jumps = code[at - 1] == 0xE9 || (at > 1 && code[at - 2] == 0x0F && code[at - 1] & 0xF0 == 0x80);
                assert!(
                    matches!(r_type, elf::R_X86_64_PLT32 | elf::R_X86_64_PC32),
                    "{name}: {to} by relocation {r_type}"
                );
                assert!(relocation.addend() == -4 && jumps, "{name}: {to} is not jumped to");
                format!("{}{}", &to[2..3], to[3..].to_lowercase())
            }
            "H_0" | "H_1" => {
                assert_eq!(relocation.addend(), 0, "{name}: {to}");
                let wide = match r_type {
                    elf::R_X86_64_64 => "Word",
                    elf::R_X86_64_32 | elf::R_X86_64_32S => "Offset",
                    other => panic!("{name}: {to} by relocation {other}"),
                };
                format!("{wide}({})", &to[2..])
            }
            _ => panic!("{name}: a relocation of {to:?}"),
        };
        patches.push(Patch { at, what });
    }
    patches.sort_by_key(|p| p.at);
    // `jcc NEXT; jmp OTHER` falls through once the condition is turned around.
    let end = code.len();
    if let [.., a, b] = &mut patches[..]
        && a.what == "Next"
        && (a.at + 4, b.at + 4) == (end - 5, end)
        && code[a.at - 2] == 0x0F
    {
        code[a.at - 1] ^= 1;
        std::mem::swap(&mut a.what, &mut b.what);
    }
    let falls = patches.last().is_some_and(|p| p.what == "Next" && p.at + 4 == end && code[p.at - 1] == 0xE9);
    (code, patches, falls)
}
