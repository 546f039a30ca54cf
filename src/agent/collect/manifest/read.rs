//! From a file's text to a manifest: its outer sections, and the faults of all of it at once.

use observance_record::Digest;

use super::{
    Connection, Fault, Limits, Manifest, Permissions, Rate, Receipts, parts, populations, steps,
    yaml::{self, Faults, Section, Spot},
};

const SECTIONS: [&str; 11] = [
    "apiVersion",
    "kind",
    "metadata",
    "contract",
    "connection",
    "permissions",
    "limits",
    "receipts",
    "outcomes",
    "steps",
    "populations",
];

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
    let sections = root.section(faults, &SECTIONS);
    exactly(&sections, faults, "apiVersion", "collectors/v1");
    exactly(&sections, faults, "kind", "HttpCollector");
    contract(&sections, faults);
    let (id, version, title) = metadata(&sections, faults);
    let connection = sections.need(faults, "connection").map(|s| connection(s, faults)).unwrap_or_default();
    let outcomes = sections.need(faults, "outcomes").map(|s| parts::rules(s, faults)).unwrap_or_default();
    let mut steps = sections
        .need(faults, "steps")
        .map(|s| steps::read(s, faults, &connection.params))
        .unwrap_or_default();
    let populations = sections
        .need(faults, "populations")
        .map(|s| populations::read(s, faults, &mut steps))
        .unwrap_or_default();
    Manifest {
        digest,
        id,
        version,
        title,
        connection,
        permissions: sections.get("permissions").map(|s| permissions(s, faults)).unwrap_or_default(),
        limits: limits(sections.get("limits"), faults),
        receipts: sections.get("receipts").map(|s| receipts(s, faults)).unwrap_or_default(),
        outcomes,
        steps,
        populations,
        left_out: std::collections::BTreeSet::new(),
    }
}

fn exactly(sections: &Section<'_>, faults: &mut Faults, name: &str, wanted: &str) {
    if let Some(spot) = sections.need(faults, name) {
        spot.read(faults, wanted, |text| (text == wanted).then_some(()));
    }
}

/// The vendor's description that the manifest is checked against; read here so that it cannot be misspelt.
fn contract(sections: &Section<'_>, faults: &mut Faults) {
    if let Some(spot) = sections.get("contract") {
        let section = spot.section(faults, &["openapi", "vendor_version"]);
        section.need_text(faults, "openapi");
        section.need_text(faults, "vendor_version");
    }
}

fn metadata(sections: &Section<'_>, faults: &mut Faults) -> (String, u64, String) {
    let Some(spot) = sections.need(faults, "metadata") else { return Default::default() };
    let section = spot.section(faults, &["id", "version", "title", "evidence"]);
    let dotted = |text: &str| {
        let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        (text.len() <= 64 && text.contains('.') && text.split('.').all(part)).then(|| text.to_owned())
    };
    let id =
        section.need(faults, "id").and_then(|s| s.read(faults, "a name like github.branch_rules", dotted));
    let version = section.need(faults, "version").and_then(|s| s.number(faults, 1..=1_000_000));
    let title = section.need_text(faults, "title");
    for spot in section.need(faults, "evidence").map(|s| s.list(faults)).unwrap_or_default() {
        let kinds = ["configuration", "population", "activity"];
        spot.read(faults, "configuration, population or activity", |text| {
            kinds.contains(&text).then_some(())
        });
    }
    (id.unwrap_or_default(), version.unwrap_or_default(), title)
}

fn connection(spot: &Spot<'_>, faults: &mut Faults) -> Connection {
    let section = spot.section(faults, &["base_url", "headers", "params"]);
    let address = |text: &str| {
        let url = url::Url::parse(text).ok()?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        (url.scheme() == "https" && plain).then(|| text.trim_end_matches('/').to_owned())
    };
    Connection {
        base_url: section
            .need(faults, "base_url")
            .and_then(|s| s.read(faults, "an https address without user, query or fragment", address))
            .unwrap_or_default(),
        headers: section.get("headers").map(|s| parts::headers(s, faults)).unwrap_or_default(),
        params: section
            .get("params")
            .map(|s| s.list(faults).iter().filter_map(|s| parts::name(s, faults)).collect())
            .unwrap_or_default(),
    }
}

fn permissions(spot: &Spot<'_>, faults: &mut Faults) -> Permissions {
    let section = spot.section(faults, &["expect", "granted", "reads"]);
    let mut expect = Vec::new();
    for spot in section.need(faults, "expect").map(|s| s.list(faults)).unwrap_or_default() {
        let one = spot.section(faults, &["name", "access"]);
        let name = one.need_text(faults, "name");
        // a collector reads; one that asks for more is refused here, not reviewed away
        let access = one.need(faults, "access");
        access.and_then(|s| s.read(faults, "read", |text| (text == "read").then_some(())));
        expect.push((name, "read".to_owned()));
    }
    Permissions {
        expect,
        granted: section.get("granted").and_then(|s| parts::header(s, faults)),
        reads: section.get("reads").map(|s| parts::texts(s, faults)).unwrap_or_default(),
    }
}

fn receipts(spot: &Spot<'_>, faults: &mut Faults) -> Receipts {
    let section = spot.section(faults, &["request_id", "api_version", "rate"]);
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
    const KNOWN: [&str; 8] = [
        "concurrency",
        "requests_max",
        "bytes_max",
        "wall_ms",
        "wait_ms",
        "attempts_max",
        "body_bytes_max",
        "rate",
    ];
    let section = spot.map(|spot| spot.section(faults, &KNOWN));
    let get = |name: &str| section.as_ref().and_then(|section| section.get(name));
    let mut number = |name: &str, otherwise: u64, most: u64| {
        get(name).and_then(|spot| spot.number(faults, 1..=most)).unwrap_or(otherwise)
    };
    let ms = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let mut limits = Limits {
        concurrency: usize::try_from(number("concurrency", 1, 64)).unwrap_or(1),
        requests_max: number("requests_max", 20_000, 10_000_000),
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
    let section = spot.section(faults, &["remaining", "reset", "retry_after", "no_header_wait_ms"]);
    let mut header = |name: &str| section.get(name).and_then(|s| parts::header(s, faults));
    let (remaining, reset, retry_after) = (header("remaining"), header("reset"), header("retry_after"));
    let wait =
        section.get("no_header_wait_ms").and_then(|s| s.number(faults, 1..=WALL_MS_MAX)).unwrap_or(60_000);
    Rate { remaining, reset, retry_after, no_header_wait_ms: i64::try_from(wait).unwrap_or(i64::MAX) }
}
