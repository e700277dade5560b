//! Where the suite comes from: Debian's source package, fetched by apt into `target/regress`, or a folder that is there already.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{failed, read};
use crate::step::Failure;

/// The folder of the suite inside PostgreSQL's source.
const INSIDE: &str = "src/test/regress";

/// The suite's folder: `HATHI_REGRESS_SUITE` when set, else what was fetched, now or before.
pub fn fetch(root: &Path) -> Result<PathBuf, Failure> {
    if let Some(folder) = std::env::var_os("HATHI_REGRESS_SUITE") {
        return Ok(PathBuf::from(folder));
    }
    let place = root.join("target/regress/postgresql-15");
    let suite = place.join(INSIDE);
    if suite.join("parallel_schedule").exists() {
        return Ok(suite);
    }
    eprintln!("==> fetching the source package postgresql-15");
    download(&place).map_err(|reason| {
        failed(format!("the suite cannot be fetched ({reason}); HATHI_REGRESS_SUITE may name its folder"))
    })?;
    Ok(suite)
}

/// Fetches the source package into `place` and unpacks the suite. Lists and caches of its own, so nothing of the system's apt changes.
fn download(place: &Path) -> Result<(), String> {
    let apt = place.join("apt");
    for folder in ["lists/partial", "parts"] {
        std::fs::create_dir_all(apt.join(folder)).map_err(|error| error.to_string())?;
    }
    let release = std::fs::read_to_string("/etc/os-release").map_err(|error| error.to_string())?;
    // Only Debian 12 has PostgreSQL 15; its archive's key comes with every Debian.
    let key = "/usr/share/keyrings/debian-archive-keyring.gpg";
    if !release.contains("ID=debian") && !Path::new(key).exists() {
        return Err("this is not a Debian".to_owned());
    }
    let source = format!("deb-src [signed-by={key}] http://deb.debian.org/debian bookworm main\n");
    std::fs::write(apt.join("parts/source.list"), source).map_err(|error| error.to_string())?;
    let get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.current_dir(place).arg("-qq").args([
            "-o",
            "Dir::Etc::sourcelist=/dev/null",
            "-o",
            "APT::Sandbox::User=root",
        ]);
        for (option, folder) in [("Dir::Etc::sourceparts", "parts"), ("Dir::State::lists", "lists"), ("Dir::Cache", "")]
        {
            command.arg("-o").arg(format!("{option}={}", apt.join(folder).display()));
        }
        ended(command.args(arguments))
    };
    get(&["update"])?;
    get(&["source", "--download-only", "postgresql-15"])?;
    let entries = std::fs::read_dir(place).map_err(|error| error.to_string())?;
    let archive = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains(".orig.tar."));
    let archive = archive.ok_or("the package holds no archive")?;
    let mut tar = Command::new("tar");
    tar.arg("xf")
        .arg(&archive)
        .arg("-C")
        .arg(place)
        .args(["--strip-components=1", "--wildcards"])
        .arg(format!("*/{INSIDE}/*"));
    ended(&mut tar)
}

/// Runs a command to its end.
fn ended(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("{}: {error}", command.get_program().to_string_lossy())),
    }
}

/// psql 15 where Debian puts it, else the one in the path.
pub fn psql() -> &'static str {
    let of_debian = "/usr/lib/postgresql/15/bin/psql";
    if Path::new(of_debian).exists() { of_debian } else { "psql" }
}

/// The files of the parallel schedule, in its order.
pub fn schedule(suite: &Path) -> Result<Vec<String>, Failure> {
    let text = read(&suite.join("parallel_schedule"))?;
    let groups = text.lines().filter_map(|line| line.strip_prefix("test:"));
    Ok(groups.flat_map(str::split_whitespace).map(str::to_owned).collect())
}

/// What psql may print for a file: the expected text, and the alternatives some files have.
pub fn expected(suite: &Path, name: &str) -> Result<Vec<String>, Failure> {
    let folder = suite.join("expected");
    let mut texts = vec![read(&folder.join(format!("{name}.out")))?];
    for number in 0..10 {
        let path = folder.join(format!("{name}_{number}.out"));
        if path.exists() {
            texts.push(read(&path)?);
        }
    }
    Ok(texts)
}
