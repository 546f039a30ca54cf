//! The program itself, run as somebody runs it: in a folder, with nothing of this environment but what is named.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

pub(crate) fn observance(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_observance"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
