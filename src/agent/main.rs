//! The door.
use observance::demo::{Options, run};
use std::path::PathBuf;

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    let a: Vec<String> = std::env::args().collect();
    run(&Options { seed: 7, out: PathBuf::from(&a[1]), days: a[2].parse()? }, &mut std::io::stdout()).await
}
