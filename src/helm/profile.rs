//! The helm releases whose behaviour can be asked for.

use std::fmt;
use std::str::FromStr;

/// A helm release line whose output is reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Profile {
    /// Helm 3.19.
    V3_19,
    /// Helm 4.2.
    V4_2,
    /// Helm 4.3.
    #[default]
    V4_3,
}

/// What becomes of a null in the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NullRules {
    /// A user's null is kept when the chart has nothing to delete.
    pub keeps_unmatched: bool,
    /// Nulls of the chart's own defaults are dropped before they are merged.
    pub cleans_defaults: bool,
}

impl Profile {
    /// Every profile, oldest first.
    pub const ALL: [Profile; 3] = [Profile::V3_19, Profile::V4_2, Profile::V4_3];

    /// Returns the name as it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Profile::V3_19 => "3.19",
            Profile::V4_2 => "4.2",
            Profile::V4_3 => "4.3",
        }
    }

    /// Returns whether this is a Helm 4.
    pub fn is_v4(self) -> bool {
        self >= Profile::V4_2
    }

    /// Returns the rules for nulls in values.
    pub fn null_rules(self) -> NullRules {
        NullRules { keeps_unmatched: self.is_v4(), cleans_defaults: self.is_v4() }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Profile::ALL
            .into_iter()
            .find(|profile| profile.name() == text)
            .ok_or_else(|| format!("helm {text} is not reproduced; choose 3.19, 4.2 or 4.3"))
    }
}
