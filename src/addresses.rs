//! Addresses: which of them count as one, and ranges of them that an operator names.
//!
//! Plain values and questions about them; text comes in from a configuration only.
//! Knows std only: neither who connects nor what is counted.
//! Left out: names. An address that is trusted is written down, not looked up.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What counts as one address: an IPv4 address, or the /64 that one IPv6 customer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Neighbourhood {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Neighbourhood {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }
}

/// A range of addresses, as `192.0.2.7` or `10.0.0.0/8` or `2001:db8::/32`.
///
/// ```
/// use roomcast::addresses::Network;
///
/// let proxies: Network = "10.0.0.0/8".parse().unwrap();
/// assert!(proxies.contains("10.1.2.3".parse().unwrap()));
/// assert!(!proxies.contains("11.0.0.1".parse().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    prefix_bits: u8,
}

/// Whether an address is exempt from the limits of one address: many clients come from there.
pub(crate) fn is_exempt(loopback_exempt: bool, proxies: &[Network], address: IpAddr) -> bool {
    loopback_exempt && address.to_canonical().is_loopback()
        || proxies.iter().any(|network| network.contains(address))
}

/// A text that names no range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoNetwork;

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an address or a range like 10.0.0.0/8")
    }
}

impl std::error::Error for NoNetwork {}

impl Network {
    /// Whether the address is in it. An IPv4 address that came over IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.prefix_bits) == Some(self.first)
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    /// # Errors
    /// If it is no address, the prefix is longer than the address, or the address has bits set behind the prefix: who
    /// writes `10.0.0.1/8` means something else.
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let prefix_bits = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| NoNetwork)?,
            None if first.is_ipv4() => 32,
            None => 128,
        };
        if masked(first, prefix_bits) != Some(first) {
            return Err(NoNetwork);
        }
        Ok(Self { first, prefix_bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_bits)
    }
}

/// The address with everything behind the prefix cleared, if it has so many bits.
fn masked(address: IpAddr, prefix_bits: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let behind = 32_u32.checked_sub(prefix_bits.into())?;
            let mask = u32::MAX.checked_shl(behind).unwrap_or(0);
            Some(Ipv4Addr::from_bits(address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let behind = 128_u32.checked_sub(prefix_bits.into())?;
            let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
            Some(Ipv6Addr::from_bits(address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_own_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.7/32", "::ffff:192.0.2.7", "192.0.2.6"),
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("127.0.0.0/8", "127.0.0.1", "::1"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::1", "::1", "::2"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::/0", "2001:db8::1", "192.0.2.7"),
        ] {
            let named: Network = network.parse().unwrap();
            assert!(
                named.contains(inside.parse().unwrap()),
                "{network} {inside}"
            );
            assert!(
                !named.contains(outside.parse().unwrap()),
                "{network} {outside}"
            );
            assert_eq!(named.to_string().parse(), Ok(named));
        }
    }

    #[test]
    fn what_names_no_network_is_refused() {
        for text in [
            "",
            "localhost",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.1/8",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "10.0.0/8",
            "10.0.0.0:80",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text:?}");
        }
    }

    #[test]
    fn an_ipv6_customer_is_one_neighbour_and_an_ipv4_address_is_one() {
        let of = |text: &str| Neighbourhood::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
