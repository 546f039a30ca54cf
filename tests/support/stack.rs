//! Sources that we did not write, run on loopback by `tests/stack/NAME`: `there` (is it installed?), `run DIR PORT ..` until killed.
//!
//! `tests/setup` installs them. Where one is not there its test says so; on a build server that is a failure.

use std::{
    fs,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::data::variable;

/// Seconds until a started source must have answered.
const ANSWER_WAIT_S: &str = "180";

/// A source; it ends with the test.
pub(crate) struct Running {
    child: Child,
    /// Where it is, without a slash at its end.
    pub(crate) base: String,
}

impl Running {
    /// Starts it, and waits until it answers at that path. None, said aloud, where it is not installed.
    pub(crate) fn start(name: &str, further: &[&str], folder: &Path, answers_at: &str) -> Option<Self> {
        Self::start_by("http", name, further, folder, answers_at)
    }

    /// The same of one that answers in another way that curl knows.
    pub(crate) fn start_by(
        scheme: &str,
        name: &str,
        further: &[&str],
        folder: &Path,
        answers_at: &str,
    ) -> Option<Self> {
        if !script(name).arg("there").status().unwrap().success() {
            assert!(variable("CI").is_none(), "{name} is not installed; run tests/setup");
            eprintln!("skipped: {name} is not installed; run tests/setup");
            return None;
        }
        let port = free_port();
        let log = fs::File::create(folder.join(format!("{name}.log"))).unwrap();
        let mut command = script(name);
        command.arg("run").arg(folder.join(name)).arg(port.to_string()).args(further);
        let command = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let running = Self {
            // a group of its own, so that whatever a script starts ends with it
            child: command.process_group(0).spawn().unwrap(),
            base: format!("{scheme}://127.0.0.1:{port}"),
        };
        let waits = ["--retry", ANSWER_WAIT_S, "--retry-delay", "1", "--retry-all-errors", "-o", "/dev/null"];
        let answered = curl(&[&waits[..], &[&format!("{}{answers_at}", running.base)]].concat());
        let said = fs::read_to_string(folder.join(format!("{name}.log"))).unwrap();
        assert!(answered.is_some(), "{name} does not answer at {answers_at}:\n{said}");
        Some(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        assert!(
            Command::new("kill").args(["--", &group]).status().unwrap().success() || std::thread::panicking()
        );
        self.child.wait().unwrap();
    }
}

/// A port that nobody listens at.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A script of `tests/stack`.
pub(crate) fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack").join(name))
}

/// What is answered, null if it is no JSON; nothing if it is no success.
pub(crate) fn curl(arguments: &[&str]) -> Option<Value> {
    let output = Command::new("curl").args(["-s", "-f", "-m", "20"]).args(arguments).output().unwrap();
    output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}
