//! The whole of the configuration: goldens of what people see, and what must not be seen.

use std::{env, fs, path::PathBuf};

use super::*;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config").join(name)
}

/// Three collectors; which ones ship is not the file's business.
fn catalogue() -> Catalogue {
    let collector = |id: &str, cron: &str, jitter_s, grace_s, max_gap_s| catalogue::Shipped {
        id: id.to_owned(),
        kind: "github".to_owned(),
        cron: cron.to_owned(),
        jitter_s,
        grace_s,
        max_gap_s,
    };
    let collectors = vec![
        collector("github.branch_rules", "0 * * * *", 60, 600, 2 * 3600),
        collector("github.members", "0 1 * * *", 60, 3600, 26 * 3600),
        collector("github.changes", "0 */6 * * *", 60, 3600, 8 * 3600),
    ];
    Catalogue::of(collectors, ["GH-01", "GH-05", "GH-07"].map(str::to_owned).into())
}

fn read(text: &str) -> Result<Config, Faults> {
    Config::read(text, Path::new("/etc/observance/observance.yaml"), &catalogue(), Allowed::Kept)
}

fn read_file(name: &str) -> Result<Config, Faults> {
    read(&fs::read_to_string(golden(name)).unwrap())
}

/// Compares with the golden, or writes it if `OBSERVANCE_BLESS` is set.
#[expect(clippy::disallowed_methods, reason = "goldens are blessed by a variable of the environment")]
fn same(name: &str, text: &str) {
    if env::var("OBSERVANCE_BLESS").is_ok() {
        fs::write(golden(name), text).unwrap();
    }
    let expected = fs::read_to_string(golden(name)).unwrap();
    assert_eq!(text, expected, "differs from {name}; OBSERVANCE_BLESS=1 writes it anew");
}

/// A least file with one line replaced or added.
fn with(key: &str, line: &str) -> Result<Config, Faults> {
    let least = fs::read_to_string(golden("least.yaml")).unwrap();
    let mut lines: Vec<&str> = least.lines().filter(|one| !one.starts_with(&format!("{key}:"))).collect();
    lines.insert(0, line);
    read(&lines.join("\n"))
}

fn only_fault(key: &str, line: &str) -> Fault {
    let faults = with(key, line).unwrap_err();
    let sorted = faults.sorted();
    assert_eq!(sorted.len(), 1, "{faults}");
    sorted[0].clone()
}

#[test]
fn all_faults_are_told_at_once() {
    let faults = read_file("faults.yaml").unwrap_err().to_string();
    for secret in ["hunter2", "5f1d7a84"] {
        assert!(!faults.contains(secret), "{faults}");
    }
    same("faults.txt", &(faults + "\n"));
}

#[test]
fn the_effective_configuration_is_explained_with_its_defaults() {
    same("least.txt", &read_file("least.yaml").unwrap().explain());
    let full = read_file("full.yaml").unwrap().explain();
    assert!(!full.contains("secret-path"), "{full}");
    same("full.txt", &full);
}

#[test]
fn a_full_file_means_what_it_says() {
    let config = read_file("full.yaml").unwrap();
    let Store::S3(bucket) = &config.store else { panic!("{:?}", config.store) };
    assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("acme-evidence", "observance"));
    assert_eq!(bucket.addressing, store::Addressing::Path);
    assert!(bucket.credentials.is_some());
    assert_eq!(config.key, KeySource::Folder("/etc/observance/keys/".into()));
    let Source::Github(labs) = &config.sources["subsidiary"] else { panic!() };
    assert_eq!(labs.base_url, "https://ghes.acme.example/api/v3");
    assert_eq!(labs.way.extra_ca.as_deref(), Some(Path::new("/etc/observance/ca.pem")));
    let schedules: Vec<_> =
        config.collectors.iter().map(|one| (one.schedule.as_str(), one.disabled.is_some())).collect();
    assert_eq!(
        schedules,
        [
            ("github.branch_rules", false),
            ("github.members", false),
            ("github.changes", true),
            ("github.branch_rules@subsidiary", false),
            ("github.members@subsidiary", false),
            ("github.changes@subsidiary", true),
        ]
    );
    let soc2 = &config.periods["soc2-2027"];
    assert_eq!(soc2.from.to_string(), "2026-12-31T23:00:00.000Z");
    assert_eq!(soc2.to.to_string(), "2027-06-30T22:00:00.000Z");
    assert_eq!(soc2.categories, ["security", "availability"]);
    assert_eq!(config.policies.parameters["GH-05"]["approvals"], 2);
    assert_eq!(config.owners.of("GH-05"), "platform-lead");
}

#[test]
fn only_a_demonstration_may_forget_its_record() {
    let fault = only_fault("store", "store: \"memory:\"");
    assert_eq!((fault.line, fault.path.as_str()), (1, "store"));
    let least =
        fs::read_to_string(golden("least.yaml")).unwrap().replace("file:/srv/evidence", "\"memory:\"");
    let demo = Config::read(&least, Path::new("demo"), &catalogue(), Allowed::Memory).unwrap();
    assert_eq!(demo.store, Store::Memory);
}

#[test]
fn no_secret_is_repeated_wherever_it_was_pasted() {
    let token = "hunter2hunter2hunter2hunter2hunter2hunter2";
    for (key, line) in [
        ("key", format!("key: \"{token}=\"")),
        ("store", format!("store: s3://id:{token}@bucket/x")),
        ("store", format!("store: s3://bucket/x?endpoint=https://id:{token}@host")),
        ("sources", format!("sources: {{ github: {{ org: a, token: {token} }} }}")),
        ("sources", format!("sources: {{ github: {{ org: ghp_{token}, token: secret://env/T }} }}")),
        (
            "sources",
            format!(
                "sources: {{ github: {{ org: a, token: secret://env/T, proxy: \"http://u:{token}@p:1\" }} }}"
            ),
        ),
        (
            "sources",
            format!(
                "sources: {{ github: {{ org: a, token: secret://env/T, webhook: {{ secret: {token} }} }} }}"
            ),
        ),
        ("alerts", format!("alerts: {{ webhook: {{ url: \"ftp://x/{token}\", key: secret://env/K }} }}")),
        ("alerts", format!("alerts: {{ webhook: {{ url: https://x/y, key: {token} }} }}")),
        ("alerts", format!("alerts: {{ webhook: {{ url: \"https://u:{token}@x\", key: secret://env/K }} }}")),
        ("tokens", format!("tokens: {token}")),
    ] {
        let mut text = fs::read_to_string(golden("least.yaml")).unwrap();
        if key == "sources" {
            text = text.split("sources:").next().unwrap().to_owned();
        }
        let rest: Vec<_> = text.lines().filter(|one| !one.starts_with(&format!("{key}:"))).collect();
        let faults = read(&format!("{line}\n{}\n", rest.join("\n"))).unwrap_err();
        assert_eq!(faults.sorted().len(), 1, "{line}: {faults}");
        assert!(!format!("{faults}{faults:?}").contains("hunter2"), "{line}: {faults}");
    }
}

#[test]
fn a_wish_that_contradicts_itself_is_refused() {
    for (key, line) in [
        (
            "store_credentials",
            "store_credentials: { access_key: secret://env/A, secret_key: secret://env/B }",
        ),
        ("collectors", "collectors: { github.members: { jitter_s: 90, grace_s: 60 } }"),
        ("collectors", "collectors: { github.members: { disabled: {} } }"),
        ("collectors", "collectors: { github.members: { disabled: true } }"),
        ("periods", "periods: { p: { framework: iso27001, type: 2, from: 2027-01-01, to: 2027-02-01 } }"),
        (
            "periods",
            "periods: { p: { framework: soc2, categories: [privacy], from: 2027-01-01, to: 2027-02-01 } }",
        ),
        ("periods", "periods: { p: { framework: soc2, from: 2027-01-01, to: 2027-01-01 } }"),
        ("alerts", "alerts: { webhook: { url: https://localhost/x, key: secret://env/K } }"),
        ("owners", "owners: { \"*-01\": x }"),
        ("approvers", "approvers: [ciso, ciso]"),
        ("policies", "policies: { parameters: { GH-5: { x: 1 } } }"),
        ("key", "key: secret://env/KEY"),
        ("origin", "origin: a+b"),
        ("listen", "listen: 8080"),
        ("listen", "listen: localhost:8080"),
        ("listen", "listen: https://127.0.0.1:8080"),
    ] {
        only_fault(key, line);
    }
}

#[test]
fn a_hostile_name_cannot_paint_the_terminal() {
    let fault = only_fault("approvers", "approvers: [\"\\e[2Jciso\"]");
    assert!(fault.found.contains('\u{1b}'));
    let shown = with("approvers", "approvers: [\"\\e[2Jciso\"]").unwrap_err().to_string();
    assert!(shown.contains("\\u{1b}[2Jciso"), "{shown}");
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str| Config::load(&folder.path().join(name), &catalogue()).unwrap_err();
    assert!(load("none.yaml").to_string().contains("not found"));
    fs::write(folder.path().join("latin.yaml"), b"organisation: { name: Gr\xf6\xdfe }").unwrap();
    assert!(load("latin.yaml").to_string().contains("offset 24"), "{}", load("latin.yaml"));
}

#[test]
fn a_source_is_asked_by_a_token_or_by_an_app() {
    let least = fs::read_to_string(golden("least.yaml")).unwrap();
    let (rest, _) = least.split_once("sources:").unwrap();
    let sources = |inner: &str| read(&format!("{rest}sources: {{ github: {{ org: acme{inner} }} }}\n"));
    let config = sources(", app: { id: Iv23abc, key: secret://file/run/app.pem, installation: 42 }").unwrap();
    let Source::Github(github) = &config.sources["github"] else { panic!() };
    let super::source::Credential::App(app) = &github.credential else { panic!("{github:?}") };
    assert_eq!((app.id.as_str(), app.installation), ("Iv23abc", Some(42)));
    for wrong in [
        "",
        ", token: secret://env/T, app: { id: 1, key: secret://env/K }",
        ", app: secret://env/K",
        ", app: { id: 1 }",
        ", app: { id: 1, key: secret://env/K, install: 3 }",
        ", app: { id: 1, key: secret://env/K, installation: acme }",
        ", app: { id: \"a b\", key: secret://env/K }",
    ] {
        let faults = sources(wrong).unwrap_err();
        assert_eq!(faults.sorted().len(), 1, "{wrong}: {faults}");
    }
}

#[test]
fn how_a_source_is_reached_is_refused_where_it_is_not_safe() {
    let least = fs::read_to_string(golden("least.yaml")).unwrap();
    let sources = |inner: &str| {
        let github = format!("  github: {{ org: acme, token: secret://env/T, {inner} }}\n");
        read(&format!("{}sources:\n{github}", least.split("sources:").next().unwrap()))
    };
    for fine in [
        "base_url: https://ghes.acme.example/api/v3, networks: [10.20.0.0/16, fd12::/16]",
        "base_url: http://127.0.0.1:8080",
        "base_url: http://localhost:8080",
        "webhook: { secret: secret://env/HOOK }",
    ] {
        assert!(sources(fine).is_ok(), "{fine}: {}", sources(fine).unwrap_err());
    }
    for wrong in [
        "base_url: http://ghes.acme.example/api/v3",
        "base_url: http://10.0.0.1",
        "networks: 10.0.0.0/8",
        "networks: [10.0.0.0]",
        "networks: [intranet]",
        "webhook: secret://env/HOOK",
        "webhook: {}",
        "webhook: { secret: secret://env/HOOK, events: [push] }",
    ] {
        assert_eq!(sources(wrong).unwrap_err().sorted().len(), 1, "{wrong}");
    }
}

/// Sources of a kind that no shipped collector reads.
fn wiki(inner: &str) -> Result<Config, Faults> {
    let least = fs::read_to_string(golden("least.yaml")).unwrap();
    let (rest, _) = least.split_once("sources:").unwrap();
    let mut known = catalogue();
    let wiki = catalogue::Shipped {
        id: "wiki.pages".to_owned(),
        kind: "wiki".to_owned(),
        ..known.collectors.first().unwrap().clone()
    };
    known.collectors.push(wiki);
    let file = Path::new("/etc/observance/observance.yaml");
    Config::read(&format!("{rest}sources: {{ {inner} }}\n"), file, &known, Allowed::Kept)
}

/// Who asks, as it was read, and how many faults there are of whoever cannot.
fn says(fine: &[(&str, &str)], wrong: &[&str]) {
    for (fine, shown) in fine {
        let config = wiki(fine).unwrap();
        let Source::Other(other) = config.sources.values().next().unwrap() else { panic!("{fine}") };
        assert_eq!(other.kind, "wiki");
        assert!(format!("{:?}", other.credential).contains(shown), "{other:?}");
    }
    for wrong in wrong {
        assert_eq!(wiki(wrong).unwrap_err().sorted().len(), 1, "{wrong}");
    }
}

#[test]
fn a_source_of_another_kind_says_who_asks_in_one_of_five_ways() {
    let fine = [
        ("wiki: { params: { space: docs }, token: secret://env/T }", "Token(Env(\"T\"))"),
        ("old: { kind: wiki, basic: { user: me, password: secret://env/P } }", "Basic { user: \"me\""),
        (
            "wiki: { client: { id: 0oa1, secret: secret://env/S } }",
            "Client(Client { id: \"0oa1\", proof: Secret(",
        ),
        ("wiki: { client: { id: 0oa1, key: secret://env/K, key_id: a } }", "known: Some(Id(\"a\"))"),
        (
            "wiki: { client: { id: 0oa1, key: secret://env/K, certificate: ./cert.pem } }",
            "known: Some(Certificate(File(\"/etc/observance/./cert.pem\")))",
        ),
        (
            "wiki: { client: { id: 0oa1, key: secret://env/K, certificate: secret://file/run/c.pem } }",
            "known: Some(Certificate(Secret(File(\"/run/c.pem\"))))",
        ),
        (
            "wiki: { client: { id: 0oa1, assertion: secret://file/var/run/secrets/token } }",
            "proof: Assertion(File(\"/var/run/secrets/token\"))",
        ),
        ("wiki: { headers: { x-key: secret://env/K, x-app: secret://env/A } }", "\"x-app\": Env(\"A\")"),
    ];
    let wrong = [
        "wiki: {}",
        "wiki: { token: secret://env/T, basic: { user: me, password: secret://env/P } }",
        "wiki: { headers: {} }",
        "wiki: { headers: { X-Key: secret://env/K } }",
        "wiki: { basic: { user: \"a:b\", password: secret://env/P } }",
        "wiki: { token: secret://env/T, client: { id: a, secret: secret://env/S } }",
        "wiki: { client: { id: a } }",
        "wiki: { client: { id: a b, secret: secret://env/S } }",
        "wiki: { client: { id: a, secret: secret://env/S, key: secret://env/K } }",
        "wiki: { client: { id: a, secret: secret://env/S, key_id: k } }",
        "wiki: { client: { id: a, secret: hunter2 } }",
        "wiki: { client: { id: a, secret: secret://env/S, certificate: cert.pem } }",
        "wiki: { client: { id: a, key: secret://env/K, certificate: cert.pem, key_id: k } }",
        "wiki: { client: { id: a, key: secret://env/K, certificate: secret://vault/c } }",
        "wiki: { client: { id: a, certificate: cert.pem } }",
        "wiki: { client: { id: a, assertion: secret://env/A } }",
        "wiki: { client: { id: a, assertion: secret://file/a, key: secret://env/K } }",
        "wiki: { client: { id: a, assertion: secret://file/a, key_id: k } }",
        "wiki: { token: secret://env/T, org: acme }",
        "wiki: { token: secret://env/T, base_url: http://wiki.acme.example }",
        "wikis: { token: secret://env/T }",
    ];
    says(&fine, &wrong);
}

#[test]
fn whoever_asks_aws_has_keys_or_an_identity_and_perhaps_a_role() {
    let fine = [
        (
            "wiki: { aws: { region: eu-central-1, access_key_id: secret://env/I, secret_access_key: secret://env/S, \
             session_token: secret://env/T, role: 'arn:aws:iam::123456789012:role/a/b', external_id: e-17 } }",
            "role: Some(Role { arn: \"arn:aws:iam::123456789012:role/a/b\", external_id: Some(\"e-17\") })",
        ),
        (
            "wiki: { aws: { region: eu-central-1, web_identity: secret://file/run/t, role: 'arn:aws:iam::123456789012:role/b', \
             through: 'arn:aws:iam::123456789012:role/a', external_id: e-17 } }",
            "begins: Web { token: File(\"/run/t\"), role: \"arn:aws:iam::123456789012:role/a\" }",
        ),
    ];
    let wrong = [
        "wiki: { token: secret://env/T, aws: { region: a, access_key_id: secret://env/I, secret_access_key: secret://env/S } }",
        "wiki: { aws: { region: a, secret_access_key: secret://env/S } }",
        "wiki: { aws: { region: a, access_key_id: secret://env/I } }",
        "wiki: { aws: { region: a/b, access_key_id: secret://env/I, secret_access_key: secret://env/S } }",
        "wiki: { aws: { region: a, access_key_id: AKIA, secret_access_key: secret://env/S } }",
        "wiki: { aws: { region: a, access_key_id: secret://env/I, secret_access_key: secret://env/S, external_id: e-1 } }",
        "wiki: { aws: { region: a, access_key_id: secret://env/I, secret_access_key: secret://env/S, role: auditor } }",
        "wiki: { aws: { region: a, access_key_id: secret://env/I, secret_access_key: secret://env/S, through: x } }",
        "wiki: { aws: { region: a, web_identity: secret://file/run/t } }",
        "wiki: { aws: { region: a, web_identity: secret://file/run/t, role: 'arn:aws:iam::123456789012:role/b', external_id: e-1 } }",
        "wiki: { params: { region: b }, aws: { region: a, access_key_id: secret://env/I, secret_access_key: secret://env/S } }",
    ];
    says(&fine, &wrong);
}

#[test]
fn a_directory_is_asked_by_who_binds_and_where_all_is_encrypted() {
    let least = fs::read_to_string(golden("least.yaml")).unwrap();
    let of = |catalogue: &Catalogue, line: &str| {
        let start = least.lines().position(|line| line.starts_with("sources:")).unwrap();
        let kept = |(i, line): &(usize, &str)| *i < start || *i > start && !line.starts_with(' ');
        let mut lines: Vec<&str> = least.lines().enumerate().filter(kept).map(|(_, line)| line).collect();
        let source = format!("sources: {{ ldap: {{ {line} }} }}");
        lines.push(&source);
        Config::read(
            &lines.join("\n"),
            Path::new("/etc/observance/observance.yaml"),
            catalogue,
            Allowed::Kept,
        )
    };
    let shipped = catalogue::Shipped {
        id: "ldap.users".to_owned(),
        kind: "ldap".to_owned(),
        cron: "0 1 * * *".to_owned(),
        jitter_s: 60,
        grace_s: 600,
        max_gap_s: 93_600,
    };
    let catalogue = Catalogue::of(vec![shipped], std::collections::BTreeSet::new());
    let bind = "bind: { dn: \"cn=a,dc=x\", password: secret://env/P }";
    for good in [
        format!("{bind}, base_url: \"ldaps://ldap.example:1636\", params: {{ base: \"dc=x\" }}"),
        format!("{bind}, base_url: \"ldap://ldap.example\", start_tls: true"),
        format!("{bind}, base_url: \"ldap://127.0.0.1:389\""),
        "bind: { certificate: agent.pem, key: secret://env/P }, base_url: \"ldaps://ldap.example\""
            .to_owned(),
    ] {
        let read = of(&catalogue, &good);
        assert!(read.is_ok(), "{good}: {}", read.unwrap_err());
    }
    for (wrong, words) in [
        (format!("{bind}, base_url: \"ldap://ldap.example\""), "anybody on the way could read the password"),
        (format!("{bind}, base_url: \"https://ldap.example\""), "ldaps://HOST"),
        (format!("{bind}, base_url: \"ldaps://u:hush@ldap.example\""), "not shown"),
        (format!("{bind}, base_url: \"ldaps://ldap.example/dc=x\""), "not shown"),
        (format!("{bind}, proxy: \"http://proxy:3128\""), "no proxy on the way to a directory"),
        (format!("{bind}, token: secret://env/T"), "a second credential"),
        ("bind: { dn: \"cn=a\" }".to_owned(), "password"),
        ("bind: { dn: \"cn=a\", password: hush }".to_owned(), "secret://"),
        ("bind: { certificate: a.pem, dn: \"cn=a\", key: secret://env/P }".to_owned(), "dn or certificate"),
        ("bind: { certificate: a.pem }".to_owned(), "key"),
        (
            "bind: { certificate: a.pem, key: secret://env/P }, base_url: \"ldap://127.0.0.1\"".to_owned(),
            "no TLS beside a certificate",
        ),
    ] {
        let faults = of(&catalogue, &wrong).unwrap_err().to_string();
        assert!(faults.contains(words) && !faults.contains("hush"), "{wrong}: {faults}");
    }
}
