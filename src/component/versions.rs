//! Which releases are simulated. One field of a scenario chooses among their differences.

use std::fmt;
use std::str::FromStr;

/// A release `major.minor.patch`; the patch defaults to the newest of its minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number; `u16::MAX` stands for the newest patch release.
    pub patch: u16,
}

impl Version {
    /// The newest patch release of `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor, patch: u16::MAX }
    }

    /// Whether this is `major.minor` or later.
    pub fn at_least(self, major: u16, minor: u16) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch == u16::MAX { Ok(()) } else { write!(f, ".{}", self.patch) }
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `1.34`, `v1.34` or `3.4.13`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a version; write for example \"1.34\" or \"3.4.13\"");
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let mut number = || parts.next().map(|p| p.parse::<u16>().map_err(|_| wrong())).transpose();
        let (major, minor, patch) = (number()?, number()?, number()?);
        if number()?.is_some() {
            return Err(wrong());
        }
        match (major, minor) {
            (Some(major), Some(minor)) => {
                Ok(Self { major, minor, patch: patch.unwrap_or(u16::MAX) })
            }
            _ => Err(wrong()),
        }
    }
}

/// The releases of a scenario. Defaults are current releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Kubernetes: API server, scheduler, controller-manager, kubelet. Default 1.34.
    pub kubernetes: Version,
    /// etcd. Default 3.6.
    pub etcd: Version,
    /// `HAProxy`. Default 3.2.
    pub haproxy: Version,
    /// keepalived. Default 2.3.
    pub keepalived: Version,
    /// kube-vip. Default 1.2.
    pub kube_vip: Version,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            kubernetes: Version::new(1, 34),
            etcd: Version::new(3, 6),
            haproxy: Version::new(3, 2),
            keepalived: Version::new(2, 3),
            kube_vip: Version::new(1, 2),
        }
    }
}
