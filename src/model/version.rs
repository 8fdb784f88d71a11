//! Versions and constraints by the rules of Masterminds semver, which Helm and Argo CD use.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

/// A version; parts that were left out are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major number.
    pub major: u64,
    /// Minor number.
    pub minor: u64,
    /// Patch number.
    pub patch: u64,
    /// Text after `-`, empty if none.
    pub pre: String,
    /// Text after `+`, empty if none.
    pub metadata: String,
    /// As it was written.
    pub original: String,
}

impl Version {
    /// Reads a version, leniently: a leading `v` and missing parts are fine.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = Parts::read(text)?;
        let number = |part: Option<Option<u64>>| match part {
            None => Some(0),
            Some(number) => number,
        };
        let (major, minor, patch) = (
            parts.numbers.first().copied().flatten()?,
            number(parts.numbers.get(1).copied())?,
            number(parts.numbers.get(2).copied())?,
        );
        Some(Self { major, minor, patch, pre: parts.pre, metadata: parts.metadata, original: text.to_owned() })
    }

    /// Says whether a number of the text after `-` begins with a 0, which the rules of versions forbid.
    pub fn has_zero_before_number(&self) -> bool {
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        self.pre.split('.').any(|part| part.len() > 1 && part.starts_with('0') && is_number(part))
    }

    fn numbers(&self) -> (u64, u64, u64) {
        (self.major, self.minor, self.patch)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    /// Compares by precedence; metadata does not count.
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers().cmp(&other.numbers()).then_with(|| compare_pre(&self.pre, &other.pre))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

fn compare_pre(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// A version as written; `None` in a number's place is a wildcard.
struct Parts {
    numbers: Vec<Option<u64>>,
    pre: String,
    metadata: String,
}

impl Parts {
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let whole = text;
        let (text, metadata) = text.split_once('+').unwrap_or((text, ""));
        let (numbers, pre) = text.split_once('-').map_or((text, ""), |(numbers, pre)| (numbers, pre));
        let is_identifier = |text: &str| {
            text.split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        };
        if (text.contains('-') && !is_identifier(pre)) || (whole.contains('+') && !is_identifier(metadata)) {
            return None;
        }
        let numbers: Vec<Option<u64>> = numbers
            .split('.')
            .map(|part| match part {
                "x" | "X" | "*" => Some(None),
                _ if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse().ok().map(Some),
                _ => None,
            })
            .collect::<Option<_>>()?;
        (!numbers.is_empty() && numbers.len() <= 3).then(|| Self {
            numbers,
            pre: pre.to_owned(),
            metadata: metadata.to_owned(),
        })
    }

    /// Returns how many numbers are given before the first wildcard.
    fn given(&self) -> usize {
        self.numbers.iter().take_while(|number| number.is_some()).count()
    }

    fn floor(&self) -> Version {
        let number = |place: usize| if place < self.given() { self.numbers[place].unwrap_or(0) } else { 0 };
        Version {
            major: number(0),
            minor: number(1),
            patch: number(2),
            pre: self.pre.clone(),
            metadata: self.metadata.clone(),
            original: String::new(),
        }
    }
}

/// A set of version ranges: `>=1.2 <2 || ~3.1`.
#[derive(Clone, Debug)]
pub struct Constraint {
    any_of: Vec<Vec<Comparator>>,
}

#[derive(Clone, Debug)]
struct Comparator {
    operator: Operator,
    floor: Version,
    /// Numbers that were given; fewer than three make a range.
    given: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

impl Constraint {
    /// Reads a constraint; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text).ok()
    }

    /// Reads a constraint, or returns the alternative that is none.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = without_ranges(text);
        let groups = text.split("||").map(|group| parse_group(group).ok_or_else(|| group.to_owned()));
        Ok(Self { any_of: groups.collect::<Result<_, _>>()? })
    }

    /// Says whether a version satisfies the constraint. A prerelease does so only if a comparator of the same group names one.
    pub fn matches(&self, version: &Version) -> bool {
        self.any_of.iter().any(|group| {
            let allows_pre = group.iter().any(|comparator| !comparator.floor.pre.is_empty());
            (version.pre.is_empty() || allows_pre) && group.iter().all(|comparator| comparator.matches(version))
        })
    }
}

const OPERATORS: [(&str, Operator); 11] = [
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("!=", Operator::NotEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// Writes ranges like `1.2 - 3` as two comparisons.
fn without_ranges(text: &str) -> Cow<'_, str> {
    // Few constraints have one, and the expression takes longer to compile than a small chart to render.
    if !text.contains('-') || !text.contains(char::is_whitespace) {
        return Cow::Borrowed(text);
    }
    static RANGE: LazyLock<Regex> = LazyLock::new(|| {
        let identifiers = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*";
        let number = r"[0-9|xX*]+";
        let version = format!(r"v?{number}(?:\.{number}){{0,2}}(?:-{identifiers})?(?:\+{identifiers})?");
        Regex::new(&format!(r"\s*({version})\s+-\s+({version})\s*")).expect("the expression is valid")
    });
    RANGE.replace_all(text, ">= $1, <= $2 ")
}

fn parse_group(text: &str) -> Option<Vec<Comparator>> {
    let mut group = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (operator, after) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| rest.strip_prefix(sign).map(|after| (*operator, after)))
            .unwrap_or((Operator::Equal, rest));
        let after = after.trim_start();
        let end = after.find([' ', ',']).unwrap_or(after.len());
        group.push(comparator(operator, &after[..end])?);
        rest = after[end..].trim_start_matches([' ', ',']);
    }
    (!group.is_empty()).then_some(group)
}

fn comparator(operator: Operator, text: &str) -> Option<Comparator> {
    let parts = Parts::read(text)?;
    let floor = parts.floor();
    (!floor.has_zero_before_number()).then(|| Comparator { operator, floor, given: parts.given().min(3) })
}

impl Comparator {
    fn matches(&self, version: &Version) -> bool {
        let (floor, given) = (&self.floor, self.given);
        match self.operator {
            Operator::Equal if given < 3 => self.in_tilde(version),
            Operator::Equal => version.cmp(floor) == Ordering::Equal,
            Operator::NotEqual => match given {
                1 => !self.shares(version, 1),
                2 => !self.shares(version, 2) || compare_pre(&version.pre, &floor.pre).is_ne(),
                _ => version.cmp(floor) != Ordering::Equal,
            },
            Operator::Greater if matches!(given, 1 | 2) => version > floor && !self.shares(version, given),
            Operator::Greater => version > floor,
            Operator::GreaterEqual => version >= floor,
            Operator::Less => version < floor,
            Operator::LessEqual => match given {
                0 => self.shares(version, 2),
                1 | 2 => version <= floor || self.shares(version, given),
                _ => version <= floor,
            },
            Operator::Tilde => self.in_tilde(version),
            Operator::Caret => self.in_caret(version),
        }
    }

    /// Says whether the first `count` numbers are the same.
    fn shares(&self, version: &Version, count: usize) -> bool {
        let (a, b) = (version.numbers(), self.floor.numbers());
        [a.0 == b.0, a.1 == b.1, a.2 == b.2].iter().take(count).all(|same| *same)
    }

    /// `~0.0.0` holds for every version, as a lone wildcard does.
    fn in_tilde(&self, version: &Version) -> bool {
        let holds_all = self.floor.numbers() == (0, 0, 0) && matches!(self.given, 0 | 3);
        version >= &self.floor && (holds_all || self.shares(version, self.given.clamp(1, 2)))
    }

    /// `^*` only holds for 0.0.0, unlike what its documentation says.
    fn in_caret(&self, version: &Version) -> bool {
        if version < &self.floor {
            return false;
        }
        let floor = &self.floor;
        if floor.major > 0 || self.given == 1 {
            self.shares(version, 1)
        } else if floor.minor > 0 || self.given == 2 {
            self.shares(version, 2)
        } else {
            self.shares(version, 3)
        }
    }
}

/// Returns the greatest of the names that are versions and satisfy a constraint.
pub fn greatest<'a>(constraint: &Constraint, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .filter_map(|name| Version::parse(name).map(|version| (version, name)))
        .filter(|(version, _)| constraint.matches(version))
        .max_by(|(a, _), (b, _)| a.cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::{Constraint, Version, greatest};

    #[test]
    fn constraints_are_those_of_helm() {
        for (constraint, version, expected) in [
            ("1.2.3", "1.2.3", true),
            ("1.2.3", "1.2.4", false),
            (">11", "11.1.0", false),
            (">11", "12.0.0", true),
            (">11.1", "11.1.9", false),
            (">11.1", "11.2.0", true),
            ("<=11", "11.9.9", true),
            ("!=1.x", "1.5.0", false),
            ("~1", "1.9.0", true),
            ("~1.2.3", "1.3.0", false),
            ("^0.2.3", "0.3.0", false),
            ("^0.0.3", "0.0.4", false),
            ("^0.0", "0.0.9", true),
            ("^0", "0.9.0", true),
            ("^1.2.3", "1.9.0", true),
            ("*", "1.0.0", true),
            ("*", "1.0.0-rc1", false),
            ("*-0", "1.0.0-rc1", true),
            (">=1.19-0", "1.20.0-eks", true),
            ("1.2 - 2.3.4", "2.3.4", true),
            ("1.2 - 2.3.4", "2.3.5", false),
            (">= 1.0.0 < 1.1.0 || 3.x", "3.4.0", true),
            (">=1.0.0, <1.1.0", "1.1.0", false),
            ("1 - 2 !=1.5", "1.5.0", false),
            ("~0.0.0", "3.0.0", true),
            ("^*", "1.0.0", false),
            ("<=*", "1.0.0", false),
            (">*", "1.0.0", true),
            ("!=1.2-0", "1.2.3-rc.1", true),
        ] {
            let found = Constraint::parse(constraint).unwrap().matches(&Version::parse(version).unwrap());
            assert_eq!(found, expected, "{constraint} on {version}");
        }
        for wrong in ["master", "", "a.b", ">", "1.2.3.4"] {
            assert!(Constraint::parse(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn the_greatest_matching_tag_is_found() {
        let tags = ["v1.0.0-rc1", "v1.0.0-rc2", "v1.0.0", "v1.0", "v1.0.1", "v1.1.0", "stable"];
        for (constraint, expected) in [
            ("< v1.0.0-rc3", Some("v1.0.0-rc2")),
            ("v1.0.*", Some("v1.0.1")),
            ("~v1.0.0", Some("v1.0.1")),
            ("v1.x", Some("v1.1.0")),
            ("> v1.0.0 < v1.1.0", Some("v1.0.1")),
            (">2", None),
        ] {
            assert_eq!(greatest(&Constraint::parse(constraint).unwrap(), tags.into_iter()), expected, "{constraint}");
        }
    }
}
