//! The binary `observance`. Everything that it can do is in the library; this is its door.

use std::process::ExitCode;

fn main() -> ExitCode {
    observance::cli::main()
}
