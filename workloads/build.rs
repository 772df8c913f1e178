//! Hands the locked version of every direct dependency to the code, as `VERSION_TOKIO`.
//!
//! A report must say which version of a rival was measured, and only Cargo.lock knows it. Without a lock file
//! (the package taken out of its workspace) nothing is handed over and versions read "unknown".

use std::path::{Path, PathBuf};

/// One `[[package]]` of the lock file.
#[derive(Default)]
struct Package {
    name: String,
    version: String,
    /// `name`, or `name version` where the lock holds several versions of it.
    dependencies: Vec<String>,
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let Some(path) = lock_file() else { return };
    println!("cargo::rerun-if-changed={}", path.display());
    let Ok(text) = std::fs::read_to_string(&path) else { return };
    let packages = parse(&text);
    let own = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let Some(own) = packages.iter().find(|package| package.name == own) else { return };
    for dependency in &own.dependencies {
        let mut words = dependency.split(' ');
        let Some(name) = words.next() else { continue };
        let version = words.next().or_else(|| {
            packages.iter().find(|package| package.name == name).map(|package| package.version.as_str())
        });
        if let Some(version) = version {
            let variable = name.replace('-', "_").to_uppercase();
            println!("cargo::rustc-env=VERSION_{variable}={version}");
        }
    }
}

/// The nearest Cargo.lock, from this package's folder upwards.
fn lock_file() -> Option<PathBuf> {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")?;
    Path::new(&folder).ancestors().map(|folder| folder.join("Cargo.lock")).find(|path| path.is_file())
}

/// Reads what is needed of a lock file; its form is fixed, one key or one array element a line.
fn parse(text: &str) -> Vec<Package> {
    let mut packages: Vec<Package> = Vec::new();
    for line in text.lines() {
        if line == "[[package]]" {
            packages.push(Package::default());
        }
        let Some(package) = packages.last_mut() else { continue };
        if let Some(name) = line.strip_prefix("name = ") {
            package.name = unquoted(name);
        } else if let Some(version) = line.strip_prefix("version = ") {
            package.version = unquoted(version);
        } else if line.starts_with(" \"") {
            package.dependencies.push(unquoted(line));
        }
    }
    packages
}

fn unquoted(text: &str) -> String {
    text.trim().trim_end_matches(',').trim_matches('"').to_owned()
}
