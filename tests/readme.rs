//! What the pages say is true: the transcript is the demo's, the configuration is read, links lead somewhere, the one test
//! command is the one that runs.

use std::{fs, path::Path};

use observance::{
    cli,
    config::{Allowed, Config},
};

const PAGES: [&str; 7] = [
    "README.md",
    "CHANGELOG.md",
    "collectors/README.md",
    "collectors/REFERENCE.md",
    "src/README.md",
    "src/judge/README.md",
    "src/agent/bundle/CHECK.md",
];

/// One command, then what it prints. As long as there is no golden transcript, nothing may be shown.
#[test]
fn the_transcript_is_what_the_demo_prints() {
    let golden = fs::read_to_string("tests/golden/demo/transcript.txt").unwrap_or_default();
    let block = blocks("README.md").into_iter().next().unwrap();
    let (command, printed) = block.split_once('\n').unwrap();
    assert!(command.starts_with("$ ") && command.contains("observance demo"), "{command}");
    assert_eq!(printed.trim_end(), golden.trim_end());
}

#[test]
fn the_one_test_command_is_the_one_that_must_hold() {
    let tests: Vec<String> =
        blocks("README.md").into_iter().filter(|block| block.contains("cargo test")).collect();
    assert_eq!(tests, ["$ cargo test --workspace\n"]);
    let script = fs::read_to_string(".ci/run").unwrap();
    assert!(script.lines().any(|line| line.starts_with("cargo test --workspace 2>&1 | tee ")), "{script}");
}

#[test]
fn the_configuration_shown_is_one_that_is_read() {
    let page = fs::read_to_string("README.md").unwrap();
    let text = page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0;
    let config = Config::read(text, Path::new("observance.yaml"), &cli::catalogue(), Allowed::Kept);
    let collectors = config.unwrap_or_else(|faults| panic!("{faults}")).collectors;
    for collector in collectors {
        assert!(
            page.contains(&format!("| `{}` |", collector.id)),
            "{} is shipped and not shown",
            collector.id
        );
    }
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for page in PAGES {
        let folder = Path::new(page).parent().unwrap();
        let text = fs::read_to_string(page).unwrap();
        let targets =
            text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|target| !target.starts_with("http")) {
            let there = match target.strip_prefix('#') {
                Some(heading) => text.contains(&format!("\n## {heading}\n")),
                None => folder.join(target).exists(),
            };
            assert!(there, "{page}: {target}");
            links += 1;
        }
    }
    assert!(links > 3, "no links were found");
}

/// What stands in the console blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let blocks = text.split("```console\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}
