//! Times read by Go's layouts.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

use super::duration::quoted;
use super::layout::{Cut, Form, MONTHS, Part, WEEKDAYS, cut};

/// What a text says of its zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Unsaid,
    Utc,
    /// Seconds east of Greenwich, and a name or nothing.
    Fixed(i32, String),
}

/// Reads a time by a layout, or returns Go's error.
pub(super) fn parse(layout: &str, text: &str) -> Result<(DateTime, Zone), String> {
    let mut reader = Reader { rest: text, ..Reader::default() };
    let wrong = |what: &str, rest: &str| {
        let (text, layout) = (quoted(text), quoted(layout));
        format!("parsing time {text} as {layout}: cannot parse {} as {}", quoted(rest), quoted(what))
    };
    let refused = |why: &str| format!("parsing time {}: {why}", quoted(text));
    let mut layout_rest = layout;
    loop {
        let Cut { before, part, after } = cut(layout_rest);
        reader.skip(before).map_err(|rest| wrong(before, rest))?;
        let Some((part, written)) = part else { break };
        let start = reader.rest;
        let next = cut(after).part.map(|(part, _)| part);
        match reader.part(part, next) {
            Some(None) => {}
            Some(Some(what)) => return Err(refused(&format!("{what} out of range"))),
            None => return Err(wrong(written, start)),
        }
        layout_rest = after;
    }
    if !reader.rest.is_empty() {
        return Err(refused(&format!("extra text: {}", quoted(reader.rest))));
    }
    reader.finish().map_err(|why| refused(&why))
}

#[derive(Default)]
struct Reader<'a> {
    rest: &'a str,
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
    year_day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    /// Whether it is after noon.
    half: Option<bool>,
    is_utc: bool,
    offset: Option<i32>,
    zone: String,
}

/// `None` if the text does not fit; a name if a number is out of range.
type Outcome = Option<Option<&'static str>>;

const GOOD: Outcome = Some(None);

fn in_range(is_in: bool, what: &'static str) -> Outcome {
    Some(if is_in { None } else { Some(what) })
}

impl<'a> Reader<'a> {
    /// Passes over what stands between parts; a blank stands for any number of them.
    fn skip(&mut self, text: &str) -> Result<(), &'a str> {
        let mut text = text;
        while let Some(c) = text.chars().next() {
            if c == ' ' {
                if !self.rest.is_empty() && !self.rest.starts_with(' ') {
                    return Err(self.rest);
                }
                text = text.trim_start_matches(' ');
                self.rest = self.rest.trim_start_matches(' ');
                continue;
            }
            self.rest = self.rest.strip_prefix(c).ok_or(self.rest)?;
            text = &text[c.len_utf8()..];
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn digits(&self) -> usize {
        self.rest.bytes().take_while(u8::is_ascii_digit).count()
    }

    /// Reads a number of up to so many digits; of just so many if `is_fixed`.
    fn number(&mut self, length: usize, is_fixed: bool) -> Option<u32> {
        let found = self.digits().min(length);
        if found == 0 || is_fixed && found < length {
            return None;
        }
        self.take(found)?.parse().ok()
    }

    /// Reads one of some names, in any case of letters; returns its place.
    fn name(&mut self, names: &[&str], length: usize) -> Option<u32> {
        let place = names.iter().position(|name| {
            let name = &name[..name.len().min(length)];
            self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        })?;
        self.take(names[place].len().min(length))?;
        u32::try_from(place).ok()
    }

    fn part(&mut self, part: Part, next: Option<Part>) -> Outcome {
        match part {
            Part::Year => {
                // A sign counts as a digit here.
                let year: i32 = self.take(2)?.parse().ok()?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Part::LongYear => self.year = self.number(4, true)? as i32,
            Part::LongMonth => self.month = Some(self.name(&MONTHS, usize::MAX)? + 1),
            Part::ShortMonth => self.month = Some(self.name(&MONTHS, 3)? + 1),
            Part::Month | Part::ZeroMonth => {
                let month = self.number(2, part == Part::ZeroMonth)?;
                self.month = Some(month);
                return in_range((1..=12).contains(&month), "month");
            }
            Part::LongWeekday => drop(self.name(&WEEKDAYS, usize::MAX)?),
            Part::ShortWeekday => drop(self.name(&WEEKDAYS, 3)?),
            Part::Day | Part::SpaceDay | Part::ZeroDay => {
                if part == Part::SpaceDay {
                    self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
                }
                self.day = Some(self.number(2, part == Part::ZeroDay)?);
            }
            Part::SpaceYearDay | Part::ZeroYearDay => {
                for _ in 0..2 {
                    if part == Part::SpaceYearDay {
                        self.rest = self.rest.strip_prefix(' ').unwrap_or(self.rest);
                    }
                }
                self.year_day = Some(self.number(3, part == Part::ZeroYearDay)?);
            }
            Part::Hour => {
                self.hour = self.number(2, false)?;
                return in_range(self.hour < 24, "hour");
            }
            Part::Hour12 | Part::ZeroHour12 => {
                self.hour = self.number(2, part == Part::ZeroHour12)?;
                return in_range(self.hour <= 12, "hour");
            }
            Part::Minute | Part::ZeroMinute => {
                self.minute = self.number(2, part == Part::ZeroMinute)?;
                return in_range(self.minute < 60, "minute");
            }
            Part::Second | Part::ZeroSecond => {
                self.second = self.number(2, part == Part::ZeroSecond)?;
                if self.second >= 60 {
                    return Some(Some("second"));
                }
                // Texts may be finer than the layout.
                if !matches!(next, Some(Part::Fraction { .. })) {
                    self.fraction(None)?;
                }
            }
            Part::UpperHalf => self.half = Some(self.choice("PM", "AM")?),
            Part::LowerHalf => self.half = Some(self.choice("pm", "am")?),
            Part::ZoneName => self.zone_name()?,
            Part::Offset { has_z: true, .. } if self.rest.starts_with('Z') => {
                self.take(1)?;
                self.is_utc = true;
            }
            Part::Offset { form, .. } => return self.read_offset(form),
            Part::Fraction { keeps_zeros, digits, .. } => self.fraction(keeps_zeros.then_some(digits))?,
        }
        GOOD
    }

    fn choice(&mut self, yes: &str, no: &str) -> Option<bool> {
        let taken = self.take(2)?;
        (taken == yes || taken == no).then_some(taken == yes)
    }

    /// Reads digits of the second: just so many, or as many as there are, which may be none.
    fn fraction(&mut self, digits: Option<usize>) -> Option<()> {
        let has_separator = self.rest.starts_with(['.', ',']);
        let found = self.rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        let wanted = match digits {
            None if !has_separator || found == 0 => return Some(()),
            None => found,
            Some(digits) if has_separator && found >= digits => digits,
            Some(_) => return None,
        };
        let digits = &self.take(1 + wanted)?[1..];
        self.nanosecond = format!("{digits:0<9}")[..9].parse().ok()?;
        Some(())
    }

    fn read_offset(&mut self, form: Form) -> Outcome {
        let sign = match self.take(1)? {
            "+" => 1,
            "-" => -1,
            _ => return None,
        };
        let has_colons = matches!(form, Form::ColonMinutes | Form::ColonSeconds);
        let count = match form {
            Form::Hours => 1,
            Form::Minutes | Form::ColonMinutes => 2,
            Form::Seconds | Form::ColonSeconds => 3,
        };
        let mut numbers = [0; 3];
        for (index, number) in numbers.iter_mut().enumerate().take(count) {
            if index > 0 && has_colons {
                self.rest = self.rest.strip_prefix(':')?;
            }
            *number = self.number(2, true)?;
        }
        let [hours, minutes, seconds] = numbers;
        if hours > 24 {
            return Some(Some("time zone offset hour"));
        }
        if minutes > 60 || seconds > 60 {
            return Some(Some(if minutes > 60 { "time zone offset minute" } else { "time zone offset second" }));
        }
        self.offset = Some(sign * ((hours * 60 + minutes) * 60 + seconds) as i32);
        GOOD
    }

    fn zone_name(&mut self) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix("UTC") {
            self.rest = rest;
            self.is_utc = true;
            return Some(());
        }
        let length = zone_length(self.rest)?;
        self.zone = self.take(length)?.to_owned();
        Some(())
    }

    fn finish(mut self) -> Result<(DateTime, Zone), String> {
        match self.half {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let date = self.date()?;
        let number = |number: u32| number as i8;
        let time = Time::new(number(self.hour), number(self.minute), number(self.second), self.nanosecond as i32)
            .map_err(|_| "hour out of range")?;
        let mut shown = date.to_datetime(time);
        let zone = match self.offset {
            _ if self.is_utc => Zone::Utc,
            Some(0) if self.zone.is_empty() => Zone::Utc,
            Some(offset) => Zone::Fixed(offset, self.zone),
            None if self.zone.is_empty() => Zone::Unsaid,
            None => {
                // A name does not tell an offset, other than `GMT+3`; but then the time is still one of Greenwich.
                let hours =
                    self.zone.strip_prefix("GMT").and_then(|hours| hours.parse::<i32>().ok()).unwrap_or_default();
                shown = shown.saturating_add(SignedDuration::from_hours(hours.into()));
                Zone::Fixed(hours * 3600, self.zone)
            }
        };
        Ok((shown, zone))
    }

    fn date(&self) -> Result<Date, String> {
        let year = self.year as i16;
        let Some(year_day) = self.year_day else {
            let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
            return Date::new(year, month as i8, day.min(99) as i8).map_err(|_| "day out of range".into());
        };
        let date = i16::try_from(year_day)
            .ok()
            .and_then(|day| Date::new(year, 1, 1).ok()?.with().day_of_year(day).build().ok())
            .ok_or("day-of-year out of range")?;
        if self.month.is_some_and(|month| month != date.month() as u32) {
            return Err("day-of-year does not match month".into());
        }
        if self.day.is_some_and(|day| day != date.day() as u32) {
            return Err("day-of-year does not match day".into());
        }
        Ok(date)
    }
}

/// Returns the length of the zone name that a text starts with.
fn zone_length(text: &str) -> Option<usize> {
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix("GMT") {
        return Some(3 + signed_length(rest).unwrap_or_default());
    }
    if text.starts_with(['+', '-']) {
        return signed_length(text);
    }
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    match letters {
        3 => Some(3),
        4 if text.as_bytes()[3] == b'T' || text.starts_with("WITA") => Some(4),
        5 if text.as_bytes()[4] == b'T' => Some(5),
        _ => None,
    }
}

/// Returns the length of a sign with hours behind it.
fn signed_length(text: &str) -> Option<usize> {
    let hours = text.strip_prefix(['+', '-'])?;
    let length = hours.bytes().take_while(u8::is_ascii_digit).count();
    hours[..length].parse::<u32>().ok().filter(|hours| *hours <= 23).map(|_| 1 + length)
}

#[cfg(test)]
mod tests {
    use super::{Zone, parse};

    #[test]
    fn times_are_read_by_their_layout() {
        let check = |layout: &str, text: &str, expected: &str, zone: Zone| {
            let (time, found) = parse(layout, text).expect(text);
            assert_eq!((time.to_string().as_str(), found), (expected, zone), "{text} by {layout}");
        };
        check("2006-01-02", "2017-12-31", "2017-12-31T00:00:00", Zone::Unsaid);
        check("Jan _2 2006 3:04PM", "feb  4 2010 12:09AM", "2010-02-04T00:09:00", Zone::Unsaid);
        check("2006-01-02T15:04:05Z07:00", "2010-02-04T21:00:57.5Z", "2010-02-04T21:00:57.5", Zone::Utc);
        let offset = Zone::Fixed(-28_800, String::new());
        check("2006-01-02T15:04:05.000Z0700", "2010-02-04T21:00:57.012-0800", "2010-02-04T21:00:57.012", offset);
        check("Monday, 02-Jan-06 MST", "Thursday, 04-Feb-69 PST", "1969-02-04T00:00:00", Zone::Fixed(0, "PST".into()));
        check("2006 MST", "2010 GMT+3", "2010-01-01T03:00:00", Zone::Fixed(10_800, "GMT+3".into()));
        check("2006-002", "2020-366", "2020-12-31T00:00:00", Zone::Unsaid);
    }

    #[test]
    fn what_does_not_fit_is_named_as_in_go() {
        let check = |layout: &str, text: &str, expected: &str| {
            assert_eq!(parse(layout, text), Err(format!("parsing time {expected}")), "{text} by {layout}");
        };
        check("2006-01-02", "x", r#""x" as "2006-01-02": cannot parse "x" as "2006""#);
        check("2006-01-02", "2006/01/02", r#""2006/01/02" as "2006-01-02": cannot parse "/01/02" as "-""#);
        check("2006-01-02", "2006-1-02", r#""2006-1-02" as "2006-01-02": cannot parse "1-02" as "01""#);
        check("2006-01-02", "2006-13-02", r#""2006-13-02": month out of range"#);
        check("2006-01-02", "2006-02-30", r#""2006-02-30": day out of range"#);
        check("2006", "2006x", r#""2006x": extra text: "x""#);
        check("15:04", "24:00", r#""24:00": hour out of range"#);
    }
}
