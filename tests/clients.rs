//! Clients of OAuth 2.0 as a configuration names them: what is wrong with a key, a certificate, an assertion is told with its
//! line, and nothing of a key with it.

use std::{fs, path::Path, process::Command};

use crate::support::program;

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What a command says of a source, before anybody is asked.
fn run(folder: &Path, command: &str, source: &str) -> (Option<i32>, String) {
    let config = format!(
        "organisation: {{ name: Acme, zone: UTC }}\nstore: file:store\norigin: acme.example/clients\nkey: keys\nfolder: memory\n\
         sources:\n  {source}\nowners: {{ default: platform }}\n\
         periods:\n  trial: {{ framework: soc2, from: 2020-01-01, to: 2120-01-01 }}\n"
    );
    let config = config.replace("HERE", &folder.display().to_string());
    fs::write(folder.join("observance.yaml"), config).unwrap();
    let output = program::observance(folder, &[command], &[("SECRET", "hush")]);
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn entra(client: &str) -> String {
    format!(
        "entra: {{ params: {{ tenant: t }}, base_url: \"http://127.0.0.1:9\", client: {{ id: app, {client} }} }}"
    )
}

#[test]
fn what_is_wrong_with_a_client_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let made = program::observance(here, &["key", "new", "--out", "keys"], &[]);
    assert!(made.status.success());
    for name in ["own", "other"] {
        openssl(
            here,
            &format!(
                "req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -subj /CN={name} -days 30"
            ),
        );
    }
    openssl(here, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out curve.key");
    fs::write(here.join("token"), "a.b.c\n").unwrap();
    let secrets: Vec<String> =
        ["own.key", "curve.key"].iter().map(|name| fs::read_to_string(here.join(name)).unwrap()).collect();
    for (client, told) in [
        (
            "key: secret://file/HERE/own.key, certificate: other.pem",
            "client.certificate\n  found     a certificate of another key",
        ),
        (
            "key: secret://file/HERE/own.key, certificate: token",
            "client.certificate\n  found     not a certificate (PEM)",
        ),
        (
            "key: secret://file/HERE/own.key, certificate: own.key",
            "client.certificate\n  found     not a certificate (PEM)",
        ),
        ("key: secret://file/HERE/own.key, certificate: none.pem", "none.pem: No such file"),
        (
            "key: secret://file/HERE/own.key, certificate: secret://file/HERE/none.pem",
            "client.certificate\n  found     ",
        ),
        (
            "key: secret://file/HERE/curve.key, certificate: own.pem",
            "client.key\n  found     not an RSA key of 2048 bits or more",
        ),
        (
            "key: secret://file/HERE/token, certificate: own.pem",
            "client.key\n  found     not a private key (PEM)",
        ),
        ("assertion: secret://file/HERE/none", "client.assertion\n  found     cannot read secret file"),
    ] {
        let (code, said) = run(here, "doctor", &entra(client));
        assert!(code == Some(2) && said.contains(told), "{client}: {said}");
        assert!(said.contains("observance.yaml:7  sources.entra.client."), "{client}: {said}");
        assert!(said.contains("1 fault in observance.yaml"), "{client}: {said}");
        assert!(
            secrets
                .iter()
                .flat_map(|key| key.lines())
                .filter(|part| part.len() > 32)
                .all(|part| !said.contains(part)),
            "a key was told"
        );
    }
    // and those with which nothing is wrong
    for client in [
        "key: secret://file/HERE/own.key, certificate: own.pem",
        "key: secret://file/HERE/own.key, certificate: secret://file/HERE/own.pem",
        "assertion: secret://file/HERE/token",
    ] {
        let (code, said) = run(here, "check-config", &entra(client));
        assert!(
            code == Some(0) && said.contains("no faults") && !said.contains("not here"),
            "{client}: {said}"
        );
    }
}

#[test]
fn whoever_asks_in_somebodys_name_has_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let google = "google: { params: { customer: c, subject: a@acme.example }, client: { id: robot, secret: secret://env/SECRET } }";
    let (code, said) = run(folder.path(), "check-config", google);
    assert!(
        code == Some(2) && said.contains("sources.google.client\n  found     no key, and google."),
        "{said}"
    );
}
