//! The image: built from `deploy/Dockerfile` and this repository alone, run as it is meant to be run, stopped as it will be.
//!
//! It asks no registry: the base of the builder stage is made of this machine (`tests/stack/builder`), and every build and
//! run is without network. It takes minutes: elsewhere than in CI it runs only if OBSERVANCE_CONTAINER is set.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use crate::support::data::variable;

/// The user of the image, as in `deploy/Dockerfile`.
const USER: u32 = 65532;
const HOME: &str = "/var/lib/observance";
/// Seconds from SIGTERM to SIGKILL.
const STOP_S: &str = "10";
/// Tenths of a second until a started agent must have founded its log.
const FOUNDED_WAIT_MAX: u32 = 300;

#[test]
fn the_image_builds_from_the_repository_runs_the_demo_and_stops_when_told() {
    if let Some(why) = skipped() {
        // written, not printed: the test runner would keep it to itself
        let mut seen = io::stderr();
        writeln!(seen, "skipped: the image is not built and run: {why}").unwrap();
        return;
    }
    let docker = Docker::start();
    docker.import_builder();
    docker.build_image();
    holds_two_binaries_and_nothing_else(&docker);
    shows_the_demo_whose_bundle_verifies_outside(&docker);
    stops_when_told(&docker);
}

/// Why nothing is tested here, if so.
fn skipped() -> Option<&'static str> {
    let set = |name| variable(name).is_some();
    match () {
        () if set("CI") => None,
        () if !cfg!(target_os = "linux") => Some("the image is for Linux"),
        () if fs::metadata("/proc/self").unwrap().uid() != 0 => Some("a docker of one's own needs root"),
        () if !set("OBSERVANCE_CONTAINER") => Some("it takes minutes; set OBSERVANCE_CONTAINER=1"),
        () => None,
    }
}

fn holds_two_binaries_and_nothing_else(docker: &Docker) {
    let container = docker.says(&["create", "observance:test"]);
    let tar = docker.folder.path().join("image.tar");
    docker.says(&["export", "-o", tar.to_str().unwrap(), &container]);
    let listed = done(Command::new("tar").arg("-tf").arg(&tar));
    // What docker itself lays into every container.
    let docker_s = [".dockerenv", "dev/", "etc/", "proc/", "sys/"];
    let mut files: Vec<&str> =
        listed.lines().filter(|f| !docker_s.iter().any(|d| f.starts_with(d))).collect();
    files.sort_unstable();
    assert_eq!(files, ["observance", "observance-verify", "var/", "var/lib/", "var/lib/observance/"]);
    let user = docker.says(&["image", "inspect", "-f", "{{.Config.User}}", "observance:test"]);
    assert_eq!(user, format!("{USER}:{USER}"));
    docker.says(&["cp", &format!("{container}:/observance-verify"), docker.folder.path().to_str().unwrap()]);
    docker.says(&["rm", &container]);
}

fn shows_the_demo_whose_bundle_verifies_outside(docker: &Docker) {
    let home = docker.home("demo");
    docker.says(&Docker::run(&home, &["--rm"], &["demo"]));
    let bundle = home.join("demo-bundle");
    assert_eq!(fs::metadata(bundle.join("bagit.txt")).unwrap().uid(), USER);
    let verifier = docker.folder.path().join("observance-verify");
    let said = done(Command::new(verifier).arg(&bundle).args(["--replay", "--json"]));
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(said["replayed"]["equal"].as_u64().unwrap() > 0, "{said}");
}

/// Process 1 gets no default action for SIGTERM: an agent that does not listen dies of SIGKILL, and exits with 137.
fn stops_when_told(docker: &Docker) {
    let home = docker.home("agent");
    fs::write(home.join("observance.yaml"), CONFIG).unwrap();
    docker.says(&Docker::run(&home, &["--rm"], &["key", "new", "--out", "keys"]));
    let container = docker.says(&Docker::run(&home, &["-d", "-e", "GITHUB_TOKEN=none"], &["run"]));
    let logs = || docker.output(&["logs", &container]);
    let founded = until(FOUNDED_WAIT_MAX, || find(&home, "000000000000"));
    assert!(founded, "the agent has not founded its log: {:?}", logs());
    docker.says(&["stop", "-t", STOP_S, &container]);
    let code = docker.says(&["inspect", "-f", "{{.State.ExitCode}}", &container]);
    assert_eq!(code, "0", "{:?}", logs());
}

/// No network: every answer of GitHub is an error, which the agent records. It neither gives up nor hangs.
const CONFIG: &str = "\
organisation: { name: Acme GmbH, zone: Europe/Berlin }
store: file:/var/lib/observance/store
origin: acme.example/observance
key: keys/
folder: /var/lib/observance/memory
sources:
  github: { org: acme, token: secret://env/GITHUB_TOKEN }
";

/// A docker of this test's own, which ends with it.
struct Docker {
    folder: tempfile::TempDir,
}

impl Docker {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("observance-").tempdir().unwrap();
        let docker = Self { folder };
        done(Self::script("dockerd").arg("start").arg(docker.root()));
        docker
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("docker")
    }

    fn import_builder(&self) {
        let env = done(Self::script("builder").arg("--env"));
        let mut tar = Self::script("builder").stdout(Stdio::piped()).spawn().unwrap();
        let base = tar.stdout.take().unwrap();
        done(self.docker(&["import", "-c", env.trim(), "-", "observance-builder:test"]).stdin(base));
        assert!(tar.wait().unwrap().success(), "no base for the builder stage");
    }

    fn build_image(&self) {
        let base = "BUILDER=observance-builder:test";
        let build = [
            "build",
            "--network",
            "none",
            "--build-arg",
            base,
            "-f",
            "deploy/Dockerfile",
            "-t",
            "observance:test",
        ];
        done(self.docker(&build).arg(".").env("DOCKER_BUILDKIT", "1"));
    }

    /// A folder to be mounted, which the user of the image may write.
    fn home(&self, name: &str) -> PathBuf {
        let home = self.folder.path().join(name);
        fs::create_dir(&home).unwrap();
        chown(&home, Some(USER), Some(USER)).unwrap();
        home
    }

    /// The arguments of a run with nothing but one folder.
    fn run(home: &Path, options: &[&str], command: &[&str]) -> Vec<String> {
        let volume = format!("{}:{HOME}", home.display());
        let mut all = vec!["run", "--network", "none", "--read-only", "--cap-drop", "ALL"];
        all.extend(["--security-opt", "no-new-privileges", "-v", &volume]);
        all.extend(options);
        all.push("observance:test");
        all.extend(command);
        all.into_iter().map(str::to_owned).collect()
    }

    /// What docker printed, which must have succeeded.
    fn says<S: AsRef<str>>(&self, arguments: &[S]) -> String {
        done(&mut self.docker(arguments)).trim().to_owned()
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.docker(arguments).output().unwrap()
    }

    fn docker<S: AsRef<str>>(&self, arguments: &[S]) -> Command {
        let mut docker = Command::new("/usr/bin/docker");
        docker.args(arguments.iter().map(AsRef::as_ref)).current_dir(env!("CARGO_MANIFEST_DIR"));
        docker.env("DOCKER_HOST", format!("unix://{}/socket", self.root().display()));
        docker
    }

    fn script(name: &str) -> Command {
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack").join(name))
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let stopped = Self::script("dockerd").arg("stop").arg(self.root()).status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("the test's docker in {} was not stopped", self.root().display());
        }
    }
}

/// Runs it to its end; a failure shows what it printed.
fn done(command: &mut Command) -> String {
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// Whether a file of this name lies anywhere below.
fn find(folder: &Path, name: &str) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|e| e.file_name() == name || e.path().is_dir() && find(&e.path(), name))
    })
}

#[expect(clippy::disallowed_methods, reason = "the world outside is waited for; it has no clock of ours")]
fn until(tenths_max: u32, holds: impl Fn() -> bool) -> bool {
    (0..tenths_max).any(|_| {
        holds() || {
            thread::sleep(Duration::from_millis(100));
            false
        }
    })
}
