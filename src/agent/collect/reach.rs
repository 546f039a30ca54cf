//! Which addresses a source may have: public ones, and inside only those that the configuration names.
//!
//! It resolves nothing; `http` asks it about every address that a name led to, at the moment it connects.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// Where clouds answer a machine with its own credentials. No source is there, whatever the configuration says.
const METADATA: [IpAddr; 8] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// IPv4 that is not public (RFC 6890 and its successors).
const INSIDE_V4: [(Ipv4Addr, u8); 14] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// A range of addresses, as `10.20.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// The addresses inside that may be talked to beside all public ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    inside: Vec<Network>,
}

impl Reach {
    /// Public addresses, and these.
    pub const fn new(inside: Vec<Network>) -> Self {
        Self { inside }
    }

    /// May a name lead there?
    pub(super) fn allows(&self, ip: IpAddr) -> bool {
        let ip = plain(ip);
        !METADATA.contains(&ip) && (is_public(ip) || self.inside.iter().any(|network| network.holds(ip)))
    }
}

impl Network {
    fn holds(self, ip: IpAddr) -> bool {
        match (self.first, ip) {
            (IpAddr::V4(first), IpAddr::V4(ip)) => same_v4(first, ip, self.bits),
            (IpAddr::V6(first), IpAddr::V6(ip)) => same_v6(first, ip, self.bits),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    /// An address and how many of its bits count; the others must be zero.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, bits) = text.split_once('/').ok_or(())?;
        let (first, bits): (IpAddr, u8) =
            (first.parse().map_err(|_form| ())?, bits.parse().map_err(|_form| ())?);
        let zero = match first {
            IpAddr::V4(ip) => bits <= 32 && ip.to_bits() & !mask_v4(bits) == 0,
            IpAddr::V6(ip) => bits <= 128 && ip.to_bits() & !mask_v6(bits) == 0,
        };
        if zero && bits > 0 { Ok(Self { first, bits }) } else { Err(()) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// An IPv4 address in the clothes of IPv6 (mapped, or behind the well-known NAT64 prefix) is what it carries.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let carried = match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    };
    v6.to_ipv4_mapped().or(carried).map_or(ip, IpAddr::V4)
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !INSIDE_V4.iter().any(|(first, bits)| same_v4(*first, ip, *bits)),
        // global unicast, less what is documentation, tunnels or other protocols
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            a & 0xe000 == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        }
    }
}

fn same_v4(first: Ipv4Addr, ip: Ipv4Addr, bits: u8) -> bool {
    (first.to_bits() ^ ip.to_bits()) & mask_v4(bits) == 0
}

fn same_v6(first: Ipv6Addr, ip: Ipv6Addr, bits: u8) -> bool {
    (first.to_bits() ^ ip.to_bits()) & mask_v6(bits) == 0
}

fn mask_v4(bits: u8) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(bits))).unwrap_or(0)
}

fn mask_v6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(bits))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_public_may_be_reached_unasked() {
        let none = Reach::default();
        for public in
            ["140.82.112.3", "8.8.8.8", "2606:50c0:8000::153", "::ffff:140.82.112.3", "64:ff9b::8.8.8.8"]
        {
            assert!(none.allows(public.parse().unwrap()), "{public}");
        }
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "::127.0.0.1",
        ] {
            assert!(!none.allows(inside.parse().unwrap()), "{inside}");
        }
    }

    #[test]
    fn what_is_named_may_be_reached_and_credentials_of_machines_never() {
        let all = ["10.20.0.0/16", "fd12::/16", "169.254.0.0/16", "100.64.0.0/10", "160.0.0.0/4", "fd00::/8"];
        let reach = Reach::new(all.iter().map(|text| text.parse().unwrap()).collect());
        for named in ["10.20.255.1", "fd12::7", "169.254.7.7", "::ffff:10.20.0.1"] {
            assert!(reach.allows(named.parse().unwrap()), "{named}");
        }
        assert!(!reach.allows("10.21.0.1".parse().unwrap()));
        for never in METADATA.iter().map(ToString::to_string).chain(["::ffff:169.254.169.254".to_owned()]) {
            assert!(!reach.allows(never.parse().unwrap()), "{never}");
        }
        for wrong in
            ["10.0.0.1/8", "10.0.0.0", "0.0.0.0/0", "10.0.0.0/33", "fd00::/129", "x/8", "10.0.0.0/-1"]
        {
            assert_eq!(wrong.parse::<Network>(), Err(()), "{wrong}");
        }
        assert_eq!("fd12::/16".parse::<Network>().unwrap().to_string(), "fd12::/16");
    }
}
