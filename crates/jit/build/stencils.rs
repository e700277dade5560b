//! From the source of the stencils to their table: a module of the build script, and of the test that does it again.

mod aarch64;
mod x86_64;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use object::{Architecture, Object, ObjectSection, ObjectSymbol, Relocation, RelocationFlags, RelocationTarget};

#[path = "../src/patch.rs"]
mod patch;

use patch::{Patch, What};

/// Stencils that are compiled together, into a table of their own.
pub struct Family {
    pub name: &'static str,
    source: &'static str,
    /// What else the compiler is told.
    arguments: &'static [&'static str],
    /// At least so many are made of it.
    least: usize,
}

/// Rows one by one, for every processor.
const ROW: Family = Family { name: "row", source: "stencils/row.rs", arguments: &[], least: 100 };
/// Tiles of 32 rows, of x86-64.
const NARROW: Family = Family {
    name: "narrow",
    source: "stencils/tile.rs",
    arguments: &["-C", x86_64::TILE_FEATURES, "--cfg", "narrow"],
    least: 70,
};
/// Tiles of 16 rows, of x86-64.
const WIDE: Family =
    Family { name: "wide", source: "stencils/tile.rs", arguments: &["-C", x86_64::TILE_FEATURES], least: 100 };

/// What there is for a target.
pub fn families(target: &str) -> &'static [Family] {
    match target.split_once('-').map_or(target, |t| t.0) {
        _ if !target.contains("linux") => &[],
        "x86_64" => &[ROW, NARROW, WIDE],
        "aarch64" => &[ROW],
        // Everything is interpreted.
        _ => &[],
    }
}

/// Every family's name.
pub const NAMES: [&str; 3] = [ROW.name, NARROW.name, WIDE.name];
/// The table of a family that is not there.
pub const NONE: &str = "Built { stencils: &[], digest: 0 }";

/// The object file of a family, for `target`; the working directory is the crate's. At optimization level 0 calls at the end are no jumps, so the level is
/// ours, whatever the profile's is.
fn compile(family: &Family, rustc: &str, target: &str, object: &Path) -> Vec<u8> {
    let mut command = Command::new(rustc);
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTC_BOOTSTRAP");
    command.args(["--edition", "2024", "--crate-type", "lib", "--crate-name", family.name, "--emit", "obj"]);
    command.args(family.arguments).args(["--cap-lints", "allow", "--target", target]);
    let options = [
        "opt-level=3",
        "panic=abort",
        "relocation-model=static",
        "codegen-units=1",
        "debuginfo=0",
        "force-frame-pointers=no",
        "force-unwind-tables=no",
        "overflow-checks=no",
        "debug-assertions=no",
        "jump-tables=no",
        "no-vectorize-loops",
        "no-vectorize-slp",
    ];
    let own: &[&str] = if target.starts_with("x86_64") { &x86_64::OPTIONS } else { &aarch64::OPTIONS };
    for option in options.iter().chain(own) {
        command.args(["-C", option]);
    }
    let status = command.arg(family.source).arg("-o").arg(object).status().expect("rustc runs");
    assert!(status.success(), "the stencils do not compile");
    fs::read(object).expect("rustc wrote it")
}

/// A stencil as it will be in the table.
struct Stencil {
    code: Vec<u8>,
    patches: Vec<Patch>,
    /// Whether its last instruction does nothing but jump to the next step.
    falls: bool,
}

/// What is the same of all processors: how an object file becomes stencils.
struct Gate {
    /// What a place with a relocation is filled with; panics where that is not known to be harmless.
    what: fn(&str, &[u8], u64, &Relocation, &str) -> What,
    /// Makes the last jump one to the next step where it can, and tells whether it is.
    falls: fn(&mut Stencil) -> bool,
}

/// Every stencil of a family as an item of a table, in the order of their names, and the digest of all; `object` is a file to be written.
pub fn table(family: &Family, rustc: &str, target: &str, object: &Path) -> String {
    let bytes = compile(family, rustc, target, object);
    let file = object::File::parse(&bytes[..]).expect("rustc writes object files");
    let gate = match file.architecture() {
        Architecture::X86_64 => &x86_64::GATE,
        Architecture::Aarch64 => &aarch64::GATE,
        other => panic!("no gate for {other:?}"),
    };
    let mut stencils = BTreeMap::new();
    for symbol in file.symbols().filter(|s| s.is_definition() && s.is_global()) {
        let (Ok(name), Some(index)) = (symbol.name(), symbol.section_index()) else { continue };
        let section = file.section_by_index(index).expect("of the same file");
        if !section.name().is_ok_and(|n| n.starts_with(".text.")) || name.contains("rust") {
            continue;
        }
        assert_eq!(symbol.address(), 0, "{name}: one function a section");
        stencils.insert(name.to_owned(), stencil(name, gate, &file, &section));
    }
    assert!(stencils.len() > family.least, "only {} stencils of {}", stencils.len(), family.name);
    let mut out = String::from("Built { stencils: &[\n");
    for (name, Stencil { code, patches, falls }) in &stencils {
        let item = |p: &Patch| format!("Patch {{ at: {}, what: What::{:?} }}", p.at, p.what);
        let patches = patches.iter().map(item).collect::<Vec<_>>().join(", ");
        writeln!(out, "    Stencil {{ name: {name:?}, code: &{code:?}, patches: &[{patches}], falls: {falls} }},")
            .expect("strings can be written to");
    }
    let parts = stencils.iter().map(|(name, s)| (&name[..], &s.code[..], &s.patches[..], s.falls));
    write!(out, "], digest: {:#x} }}", patch::digest(parts)).expect("strings can be written to");
    out
}

/// A relocation that is not known to be harmless fails the build.
fn stencil<'f>(name: &str, gate: &Gate, file: &object::File<'f>, section: &object::Section<'f, '_>) -> Stencil {
    let code = section.data().expect("of the same file").to_vec();
    let mut patches = Vec::new();
    for (at, relocation) in section.relocations() {
        let RelocationTarget::Symbol(symbol) = relocation.target() else {
            panic!("{name}: a relocation without a symbol")
        };
        let to = file.symbol_by_index(symbol).and_then(|s| s.name()).expect("of the same file");
        let what = (gate.what)(name, &code, at, &relocation, to);
        patches.push(Patch { at: at as usize, what });
    }
    patches.sort_by_key(|p| p.at);
    let mut stencil = Stencil { code, patches, falls: false };
    stencil.falls = (gate.falls)(&mut stencil);
    stencil
}

/// Where a `K_` symbol goes on.
fn continuation(to: &str) -> Option<What> {
    Some(match to {
        "K_NEXT" => What::Next,
        "K_JUMP" => What::Jump,
        "K_FAIL" => What::Fail,
        _ => return None,
    })
}

/// The number of an `H_` symbol.
fn hole(to: &str) -> Option<u8> {
    to.strip_prefix("H_")?.parse().ok()
}

fn kind(name: &str, relocation: &Relocation) -> u32 {
    match relocation.flags() {
        RelocationFlags::Elf { r_type } => r_type,
        other => panic!("{name}: not ELF, but {other:?}"),
    }
}
