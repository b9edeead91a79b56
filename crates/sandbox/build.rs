// SPDX-License-Identifier: Apache-2.0
//! Builds the launcher, which the addon carries and hands to the kernel as a sealed memfd.
//!
//! It is compiled here, by a plain `rustc` call, because it needs what a workspace member cannot
//! have beside the others: no libc, no unwinding, its own entry point. It has no dependencies but
//! its own library, so nothing is fetched, and addon and launcher can never be of two versions.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let sources = variable("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)?
        .join("../launcher/src");
    let out = variable("OUT_DIR").map(PathBuf::from)?;
    println!("cargo::rerun-if-changed={}", sources.display());
    let library = out.join("libambit_launcher.rlib");
    rustc(&[
        arg("--crate-name=ambit_launcher"),
        arg("--crate-type=rlib"),
        joined("-o", &library),
        sources.join("lib.rs").into_os_string(),
    ])?;
    rustc(&[
        arg("--crate-name=ambit_launcher_program"),
        arg("--crate-type=bin"),
        joined("--extern=ambit_launcher=", &library),
        joined("-o", &out.join("ambit-launcher")),
        arg("-Crelocation-model=static"),
        arg("-Ctarget-feature=+crt-static"),
        arg("-Clink-arg=-nostartfiles"),
        arg("-Clink-arg=-nostdlib"),
        arg("-Clink-arg=-static"),
        arg("-Clink-arg=-Wl,--build-id=none,-z,noexecstack"),
        sources.join("main.rs").into_os_string(),
    ])
}

fn rustc(rest: &[OsString]) -> Result<(), String> {
    let mut command = Command::new(variable("RUSTC")?);
    command.args([
        "--edition=2024",
        "--cap-lints=allow",
        "-Cpanic=abort",
        "-Copt-level=s",
    ]);
    command.args([
        "-Cstrip=symbols",
        "-Cforce-unwind-tables=no",
        "-Coverflow-checks=yes",
    ]);
    command.arg("--target").arg(variable("TARGET")?);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut flag = arg("-Clinker=");
        flag.push(linker);
        command.arg(flag);
    }
    let status = command
        .args(rest)
        .status()
        .map_err(|error| format!("rustc: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the launcher did not compile: {status}"))
    }
}

fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("cargo did not set {name}"))
}

fn arg(text: &str) -> OsString {
    OsString::from(text)
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut out = OsString::from(flag);
    out.push(path);
    out
}
