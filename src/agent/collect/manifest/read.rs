//! From a file's text to a manifest: its outer sections, and the faults of all of it at once.

use observance_record::Digest;

use super::{
    Conditional, Connection, Evidence, Fault, Limits, Manifest, Permissions, Rate, Receipts, ResetUnit, auth,
    aws, keys, ldap, parts, populations, schedule, steps,
    table::{self, ADDRESS},
    yaml::{self, Faults, Section, Spot},
};

/// Most requests of a run: its receipts are one artefact of at most 16 MiB (formats section 11), of some 390 bytes each.
const REQUESTS_MAX: u64 = 40_000;
/// Largest body that any manifest may ask for, in bytes (formats section 11).
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// A day: the longest run.
const WALL_MS_MAX: u64 = 86_400_000;

impl Manifest {
    /// Reads a manifest; `file` is how faults name it. All faults at once, by line.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let root = yaml::read(file, text).map_err(|fault| vec![fault])?;
        let mut faults = Faults::new(file);
        let manifest = read(Digest::of(text.as_bytes()), &Spot::root(&root), &mut faults);
        let faults = faults.into_vec();
        if faults.is_empty() { Ok(manifest) } else { Err(faults) }
    }
}

fn read(digest: Digest, root: &Spot<'_>, faults: &mut Faults) -> Manifest {
    let sections = root.section(faults, &keys::MANIFEST.names());
    exactly(&sections, faults, "apiVersion", "collectors/v1");
    let reads = kind(&sections, faults);
    let files = reads == Reads::File;
    contract(&sections, faults);
    let (id, version, title, evidence) = metadata(&sections, faults);
    let mut connection = sections.get("connection").map(|s| connection(s, faults, reads)).unwrap_or_default();
    let mut outcomes = sections.get("outcomes").map(|s| parts::rules(s, faults)).unwrap_or_default();
    if files {
        ADDRESS.clone_into(&mut connection.base_url);
        outcomes = table::outcomes();
    }
    let mut steps = sections
        .need(faults, "steps")
        .map(|s| steps::read(s, faults, &connection.params))
        .unwrap_or_default();
    let populations = sections
        .need(faults, "populations")
        .map(|s| populations::read(s, faults, &mut steps))
        .unwrap_or_default();
    let schedule = schedule::read(sections.get("schedule"), faults);
    let windowed = steps.iter().any(|step| step.window.is_some());
    if let Some(spot) = sections.get("schedule").filter(|_| windowed && !schedule.events.is_empty()) {
        faults.add(spot, "events of a collector that reads windows", "none: its window waits for its slot");
    }
    let mut manifest = Manifest {
        digest,
        id,
        version,
        title,
        evidence,
        schedule,
        connection,
        permissions: sections.get("permissions").map(|s| permissions(s, faults)).unwrap_or_default(),
        conditional: sections.get("conditional").and_then(|s| conditional(s, faults)).unwrap_or_default(),
        limits: limits(sections.get("limits"), faults),
        receipts: sections.get("receipts").map(|s| receipts(s, faults)).unwrap_or_default(),
        outcomes,
        steps,
        populations,
        left_out: std::collections::BTreeSet::new(),
    };
    table::agree(&sections, faults, files, &mut manifest);
    aws::agree(&sections, faults, &manifest);
    ldap::agree(&sections, faults, reads == Reads::Directory, &manifest);
    if reads == Reads::Directory {
        manifest.conditional = Conditional::Never;
    }
    manifest
}

/// What a collector reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    Server,
    File,
    Directory,
}

fn kind(sections: &Section<'_>, faults: &mut Faults) -> Reads {
    let kind = sections.need(faults, "kind").and_then(|spot| {
        spot.read(faults, "HttpCollector, FileCollector or LdapCollector", |text| match text {
            "HttpCollector" => Some(Reads::Server),
            "FileCollector" => Some(Reads::File),
            "LdapCollector" => Some(Reads::Directory),
            _ => None,
        })
    });
    kind.unwrap_or(Reads::Server)
}

fn exactly(sections: &Section<'_>, faults: &mut Faults, name: &str, wanted: &str) {
    if let Some(spot) = sections.need(faults, name) {
        spot.read(faults, wanted, |text| (text == wanted).then_some(()));
    }
}

/// The vendor's description that the manifest is checked against; read here so that it cannot be misspelt.
fn contract(sections: &Section<'_>, faults: &mut Faults) {
    if let Some(spot) = sections.get("contract") {
        let section = spot.section(faults, &keys::CONTRACT.names());
        section.need_text(faults, "openapi");
        section.need_text(faults, "vendor_version");
        let digest = |text: &str| text.parse::<Digest>().ok();
        section.get("sha256").and_then(|spot| spot.read(faults, "64 hexadecimal digits", digest));
    }
}

fn metadata(sections: &Section<'_>, faults: &mut Faults) -> (String, u64, String, Vec<Evidence>) {
    let Some(spot) = sections.need(faults, "metadata") else { return Default::default() };
    let section = spot.section(faults, &keys::METADATA.names());
    let dotted = |text: &str| {
        let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        (text.len() <= 64 && text.contains('.') && text.split('.').all(part)).then(|| text.to_owned())
    };
    let id =
        section.need(faults, "id").and_then(|s| s.read(faults, "a name like github.branch_rules", dotted));
    let version = section.need(faults, "version").and_then(|s| s.number(faults, 1..=1_000_000));
    let title = section.need_text(faults, "title");
    let mut evidence = Vec::new();
    for spot in section.need(faults, "evidence").map(|s| s.list(faults)).unwrap_or_default() {
        evidence.extend(spot.read(faults, "configuration, population or activity", |text| match text {
            "configuration" => Some(Evidence::Configuration),
            "population" => Some(Evidence::Population),
            "activity" => Some(Evidence::Activity),
            _ => None,
        }));
    }
    (id.unwrap_or_default(), version.unwrap_or_default(), title, evidence)
}

fn connection(spot: &Spot<'_>, faults: &mut Faults, reads: Reads) -> Connection {
    let section = spot.section(faults, &keys::CONNECTION.names());
    let params: Vec<String> = section
        .get("params")
        .map(|s| s.list(faults).iter().filter_map(|s| parts::name(s, faults)).collect())
        .unwrap_or_default();
    Connection {
        auth: section.get("auth").and_then(|s| auth::read(s, &params, faults)),
        aws: section.get("aws").and_then(|s| aws::read(s, &params, faults)),
        base_url: section
            .need(faults, "base_url")
            .and_then(|s| match reads {
                Reads::Directory => ldap::address(s, faults),
                Reads::Server | Reads::File => aws::base_address(s, faults, section.get("aws").is_some()),
            })
            .unwrap_or_default(),
        allow_hosts: section.get("allow_hosts").map(|s| hosts(s, faults)).unwrap_or_default(),
        headers: section.get("headers").map(|s| parts::headers(s, faults)).unwrap_or_default(),
        params,
    }
}

fn hosts(spot: &Spot<'_>, faults: &mut Faults) -> Vec<String> {
    let host = |text: &str| {
        let url = url::Url::parse(&format!("https://{text}")).ok()?;
        let bare = url.domain() == Some(text) && url.as_str() == format!("https://{text}/");
        (bare && parts::is_outside(text)).then(|| text.to_owned())
    };
    let list = spot.list(faults);
    list.iter()
        .filter_map(|s| s.read(faults, "a host's name in small letters, as uploads.example.org", host))
        .collect()
}

fn permissions(spot: &Spot<'_>, faults: &mut Faults) -> Permissions {
    let section = spot.section(faults, &keys::PERMISSIONS.names());
    let (mut expect, mut places) = (Vec::new(), Vec::new());
    for spot in section.need(faults, "expect").map(|s| s.list(faults)).unwrap_or_default() {
        let one = spot.section(faults, &keys::PERMISSION.names());
        let name = one.need_text(faults, "name");
        // a collector reads; one that asks for more is refused here, not reviewed away
        let access = one.need(faults, "access");
        access.and_then(|s| s.read(faults, "read", |text| (text == "read").then_some(())));
        if let Some(on) = one.get("on").and_then(|spot| spot.text(faults)) {
            places.push((name.clone(), on.to_owned()));
        }
        expect.push((name, "read".to_owned()));
    }
    let observe = section.get("observe").map(|spot| spot.section(faults, &keys::OBSERVE.names()));
    let seen = |name: &str, faults: &mut Faults| {
        observe.as_ref().and_then(|seen| seen.get(name)).and_then(|s| parts::header(s, faults))
    };
    let granted = seen("granted", faults);
    if let Some(twice) = section.get("granted").filter(|_| granted.is_some()) {
        faults.add(twice, "granted beside observe.granted", "one of them");
    }
    Permissions {
        expect,
        places,
        granted: granted.or_else(|| section.get("granted").and_then(|s| parts::header(s, faults))),
        reads: section.get("reads").map(|s| parts::texts(s, faults)).unwrap_or_default(),
        forbid: section.get("forbid").map(|s| parts::texts(s, faults)).unwrap_or_default(),
        accepted: seen("accepted", faults),
        expires: seen("expires", faults),
    }
}

fn conditional(spot: &Spot<'_>, faults: &mut Faults) -> Option<Conditional> {
    spot.read(faults, "etag, github_etag, last_modified or none", |text| match text {
        "etag" => Some(Conditional::Etag),
        "github_etag" => Some(Conditional::GithubEtag),
        "last_modified" => Some(Conditional::LastModified),
        "none" => Some(Conditional::Never),
        _ => None,
    })
}

fn receipts(spot: &Spot<'_>, faults: &mut Faults) -> Receipts {
    let section = spot.section(faults, &keys::RECEIPTS.names());
    Receipts {
        request_id: section.get("request_id").and_then(|s| parts::header(s, faults)),
        api_version: section.get("api_version").and_then(|s| parts::header(s, faults)),
        rate: section
            .get("rate")
            .map(|s| s.list(faults).iter().filter_map(|s| parts::header(s, faults)).collect())
            .unwrap_or_default(),
    }
}

fn limits(spot: Option<&Spot<'_>>, faults: &mut Faults) -> Limits {
    let section = spot.map(|spot| spot.section(faults, &keys::LIMITS.names()));
    let get = |name: &str| section.as_ref().and_then(|section| section.get(name));
    let mut number = |name: &str, otherwise: u64, most: u64| {
        get(name).and_then(|spot| spot.number(faults, 1..=most)).unwrap_or(otherwise)
    };
    let ms = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let mut limits = Limits {
        concurrency: usize::try_from(number("concurrency", 1, 64)).unwrap_or(1),
        requests_max: number("requests_max", 20_000, REQUESTS_MAX),
        bytes_max: number("bytes_max", 1 << 30, 1 << 36),
        wall_ms: ms(number("wall_ms", 45 * 60_000, WALL_MS_MAX)),
        wait_ms: ms(number("wait_ms", 15 * 60_000, WALL_MS_MAX)),
        attempts_max: u32::try_from(number("attempts_max", 4, 10)).unwrap_or(1),
        body_bytes_max: number("body_bytes_max", BODY_BYTES_MAX, BODY_BYTES_MAX),
        rate: Rate::default(),
    };
    limits.rate = get("rate").map(|spot| rate(spot, faults)).unwrap_or_default();
    limits
}

fn rate(spot: &Spot<'_>, faults: &mut Faults) -> Rate {
    let section = spot.section(faults, &keys::RATE.names());
    let mut header = |name: &str| section.get(name).and_then(|s| parts::header(s, faults));
    let (limit, remaining, retry_after) = (header("limit"), header("remaining"), header("retry_after"));
    let (reset, reset_unit) = section.get("reset").map(|spot| reset(spot, faults)).unwrap_or_default();
    let by_path = section.get("bucket_by").and_then(|spot| {
        spot.read(faults, "source or path_template", |text| match text {
            "source" => Some(false),
            "path_template" => Some(true),
            _ => None,
        })
    });
    let reserve = section.get("reserve").and_then(|spot| parts::permille(spot, faults));
    if reserve.is_some_and(|permille| permille > 0)
        && (limit.is_none() || remaining.is_none() || reset.is_none())
    {
        faults.add(
            spot,
            "a reserve without limit, remaining and reset",
            "all three: else nobody knows what is left",
        );
    }
    let wait =
        section.get("no_header_wait_ms").and_then(|s| s.number(faults, 1..=WALL_MS_MAX)).unwrap_or(60_000);
    Rate {
        limit,
        remaining,
        reset,
        reset_unit,
        retry_after,
        by_path: by_path.unwrap_or(false),
        reserve_permille: reserve.unwrap_or(0),
        no_header_wait_ms: i64::try_from(wait).unwrap_or(i64::MAX),
    }
}

fn reset(spot: &Spot<'_>, faults: &mut Faults) -> (Option<String>, ResetUnit) {
    if !spot.is_map() {
        return (parts::header(spot, faults), ResetUnit::default());
    }
    let section = spot.section(faults, &keys::RESET.names());
    let unit = section.get("unit").and_then(|spot| {
        spot.read(faults, "epoch_seconds, epoch_ms or seconds", |text| match text {
            "epoch_seconds" => Some(ResetUnit::EpochSeconds),
            "epoch_ms" => Some(ResetUnit::EpochMs),
            "seconds" => Some(ResetUnit::Seconds),
            _ => None,
        })
    });
    let from = section.need(faults, "from").and_then(|spot| parts::header(spot, faults));
    (from, unit.unwrap_or_default())
}
