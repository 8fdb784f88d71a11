//! Go's layouts: a certain moment, written as times are to be written.

use jiff::civil::DateTime;

/// A part of a layout that stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    ShortMonth,
    Month,
    ZeroMonth,
    LongWeekday,
    ShortWeekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperHalf,
    LowerHalf,
    ZoneName,
    /// An offset; with `has_z`, none at all is `Z`.
    Offset {
        has_z: bool,
        form: Form,
    },
    /// A separator and digits of the second; without `keeps_zeros` only as many as needed.
    Fraction {
        keeps_zeros: bool,
        digits: usize,
        separator: char,
    },
}

/// How an offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Hours,
    Minutes,
    ColonMinutes,
    Seconds,
    ColonSeconds,
}

use Part::*;

const FIXED: [(&str, Part); 23] = [
    ("January", LongMonth),
    ("Monday", LongWeekday),
    ("MST", ZoneName),
    ("2006", LongYear),
    ("__2", SpaceYearDay),
    ("002", ZeroYearDay),
    ("01", ZeroMonth),
    ("02", ZeroDay),
    ("03", ZeroHour12),
    ("04", ZeroMinute),
    ("05", ZeroSecond),
    ("06", Year),
    ("15", Hour),
    ("_2", SpaceDay),
    ("PM", UpperHalf),
    ("pm", LowerHalf),
    ("1", Month),
    ("2", Day),
    ("3", Hour12),
    ("4", Minute),
    ("5", Second),
    // Only when no lower-case letter follows.
    ("Jan", ShortMonth),
    ("Mon", ShortWeekday),
];

const OFFSETS: [(&str, Form); 5] = [
    ("070000", Form::Seconds),
    ("07:00:00", Form::ColonSeconds),
    ("0700", Form::Minutes),
    ("07:00", Form::ColonMinutes),
    ("07", Form::Hours),
];

/// A layout cut at its first part.
pub(super) struct Cut<'a> {
    pub before: &'a str,
    /// The part, and how it is written.
    pub part: Option<(Part, &'a str)>,
    pub after: &'a str,
}

/// Cuts a layout at its first part.
pub(super) fn cut(layout: &str) -> Cut<'_> {
    for (at, _) in layout.char_indices() {
        let rest = &layout[at..];
        // A blank to fill years with is none.
        if let Some(after) = rest.strip_prefix("_2006") {
            return Cut { before: &layout[..=at], part: Some((LongYear, &rest[1..5])), after };
        }
        if let Some((part, length)) = part(rest) {
            return Cut { before: &layout[..at], part: Some((part, &rest[..length])), after: &rest[length..] };
        }
    }
    Cut { before: layout, part: None, after: "" }
}

/// Returns the part that a text starts with, and its length.
fn part(text: &str) -> Option<(Part, usize)> {
    let fixed = FIXED.iter().filter(|(name, _)| text.starts_with(name)).find(|(name, part)| {
        let follower = text[name.len()..].chars().next();
        !(matches!(part, ShortMonth | ShortWeekday) && follower.is_some_and(|c| c.is_ascii_lowercase()))
    });
    if let Some((name, part)) = fixed {
        return Some((*part, name.len()));
    }
    let first = text.chars().next()?;
    match first {
        '-' | 'Z' => {
            let (name, form) = OFFSETS.iter().find(|(name, _)| text[1..].starts_with(name))?;
            Some((Offset { has_z: first == 'Z', form: *form }, 1 + name.len()))
        }
        '.' | ',' => {
            let digit = text[1..].chars().next().filter(|c| matches!(c, '0' | '9'))?;
            let rest = text[1..].trim_start_matches(digit);
            let digits = text.len() - 1 - rest.len();
            let part = Fraction { keeps_zeros: digit == '0', digits, separator: first };
            (!rest.starts_with(|c: char| c.is_ascii_digit())).then_some((part, 1 + digits))
        }
        _ => None,
    }
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days of the week, from Sunday.
pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A moment as the clocks of a place show it.
#[derive(Debug)]
pub(super) struct Shown {
    pub time: DateTime,
    /// Seconds east of Greenwich.
    pub offset: i32,
    /// The short name of the zone; empty if it has none.
    pub zone: String,
}

impl Shown {
    pub(super) fn month(&self) -> &'static str {
        MONTHS[self.time.month() as usize - 1]
    }

    pub(super) fn weekday(&self) -> &'static str {
        WEEKDAYS[self.time.weekday().to_sunday_zero_offset() as usize]
    }

    /// Writes it by a layout.
    pub(super) fn format(&self, layout: &str) -> String {
        let mut out = String::new();
        let mut rest = layout;
        while !rest.is_empty() {
            let Cut { before, part, after } = cut(rest);
            out.push_str(before);
            if let Some((part, _)) = part {
                out.push_str(&self.part(part));
            }
            rest = after;
        }
        out
    }

    fn part(&self, part: Part) -> String {
        let time = &self.time;
        let hour12 = (time.hour() + 11) % 12 + 1;
        match part {
            LongMonth => self.month().into(),
            ShortMonth => self.month()[..3].into(),
            Month => time.month().to_string(),
            ZeroMonth => format!("{:02}", time.month()),
            LongWeekday => self.weekday().into(),
            ShortWeekday => self.weekday()[..3].into(),
            Day => time.day().to_string(),
            SpaceDay => format!("{:2}", time.day()),
            ZeroDay => format!("{:02}", time.day()),
            SpaceYearDay => format!("{:3}", time.day_of_year()),
            ZeroYearDay => format!("{:03}", time.day_of_year()),
            Hour => format!("{:02}", time.hour()),
            Hour12 => hour12.to_string(),
            ZeroHour12 => format!("{hour12:02}"),
            Minute => time.minute().to_string(),
            ZeroMinute => format!("{:02}", time.minute()),
            Second => time.second().to_string(),
            ZeroSecond => format!("{:02}", time.second()),
            LongYear if time.year() < 0 => format!("-{:04}", -time.year()),
            LongYear => format!("{:04}", time.year()),
            Year => format!("{:02}", time.year().rem_euclid(100)),
            UpperHalf => if time.hour() >= 12 { "PM" } else { "AM" }.into(),
            LowerHalf => if time.hour() >= 12 { "pm" } else { "am" }.into(),
            ZoneName if self.zone.is_empty() => self.offset(Form::Minutes),
            ZoneName => self.zone.clone(),
            Offset { has_z: true, .. } if self.offset == 0 => "Z".into(),
            Offset { form, .. } => self.offset(form),
            Fraction { keeps_zeros, digits, separator } => self.fraction(keeps_zeros, digits, separator),
        }
    }

    fn offset(&self, form: Form) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let size = self.offset.unsigned_abs();
        let (hours, minutes, seconds) = (size / 3600, size / 60 % 60, size % 60);
        match form {
            Form::Hours => format!("{sign}{hours:02}"),
            Form::Minutes => format!("{sign}{hours:02}{minutes:02}"),
            Form::ColonMinutes => format!("{sign}{hours:02}:{minutes:02}"),
            Form::Seconds => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
            Form::ColonSeconds => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        }
    }

    fn fraction(&self, keeps_zeros: bool, digits: usize, separator: char) -> String {
        let all = format!("{:09}{}", self.time.subsec_nanosecond(), "0".repeat(digits.saturating_sub(9).min(64)));
        let shown = &all[..digits.min(all.len())];
        let shown = if keeps_zeros { shown } else { shown.trim_end_matches('0') };
        if shown.is_empty() { String::new() } else { format!("{separator}{shown}") }
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn layouts_are_those_of_go() {
        let time = jiff::civil::datetime(2009, 2, 4, 21, 0, 57, 12_345_600);
        let shown = Shown { time, offset: -8 * 3600, zone: "PST".into() };
        let check = |layout: &str, expected: &str| assert_eq!(shown.format(layout), expected, "{layout}");
        check("Mon Jan _2 15:04:05 MST 2006", "Wed Feb  4 21:00:57 PST 2009");
        check("Monday, 02-Jan-06 3:4:5pm", "Wednesday, 04-Feb-09 9:0:57pm");
        check("2006-01-02T15:04:05.999999999Z07:00", "2009-02-04T21:00:57.0123456-08:00");
        check("05.000 05,00 05.99 05.9 05.0001", "57.012 57,01 57.01 57 57.0002");
        check("002 __2 1/2 03 PM", "035  35 2/4 09 PM");
        check("-07 -0700 Z0700 -070000 Z07:00:00", "-08 -0800 -0800 -080000 -08:00:00");
        check("January Janet Month Mondays _2006 20060", "February Janet Month Wednesdays _2009 20090");
        let nameless = Shown { time, offset: 0, zone: String::new() };
        assert_eq!(nameless.format("MST Z07:00 é"), "+0000 Z é");
    }
}
