//! Cron schedules as a CronJob writes them: five fields or one of the named ones.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// How far ahead the next time is looked for: a 29 February may be eight years away.
const LONGEST_SEARCH_DAYS: i64 = 9 * 366;

/// When something is to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    times: Times,
    zone: TimeZone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Times {
    Every(SignedDuration),
    At(Fields),
}

/// One bit per value that counts; a field that was `*` says so, as days of month and week are joined by it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
}

struct Range {
    name: &'static str,
    first: u32,
    last: u32,
    words: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const RANGES: [Range; 5] = [
    Range { name: "minute", first: 0, last: 59, words: &[] },
    Range { name: "hour", first: 0, last: 23, words: &[] },
    Range { name: "day of the month", first: 1, last: 31, words: &[] },
    Range { name: "month", first: 1, last: 12, words: &MONTHS },
    Range { name: "day of the week", first: 0, last: 6, words: &WEEKDAYS },
];

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// Says which part cannot be read.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, String> {
        let text = text.trim();
        let fields = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => match text.strip_prefix("@every ") {
                Some(pause) => return Ok(Self { times: Times::Every(every(pause.trim())?), zone }),
                None if text.starts_with('@') => return Err(format!("unrecognized descriptor: {text}")),
                None => text,
            },
        };
        Ok(Self { times: Times::At(Fields::parse(fields)?), zone })
    }

    /// Returns the first time after another one; none if there is none for years.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let fields = match &self.times {
            Times::Every(pause) => return second(after)?.checked_add(*pause).ok(),
            Times::At(fields) => fields,
        };
        let start = after.to_zoned(self.zone.clone()).date();
        for ahead in 0..LONGEST_SEARCH_DAYS {
            let date = start.checked_add(ahead.days()).ok()?;
            if !fields.has_day(date) {
                continue;
            }
            for hour in (0..24_i8).filter(|hour| is_set(fields.hours, *hour)) {
                let minutes = (0..60_i8).filter(|minute| is_set(fields.minutes, *minute));
                let times = minutes.flat_map(|minute| self.at(date, hour, minute)).flatten();
                if let Some(found) = times.filter(|time| *time > after).min() {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Returns the last time up to `now` that lies after `since`.
    pub fn latest(&self, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        // A schedule of every minute is not walked through from a year ago.
        let yesterday = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(since);
        [yesterday, since].into_iter().filter(|from| *from >= since).find_map(|from| {
            let mut found = None;
            let mut at = from;
            while let Some(next) = self.next(at).filter(|next| *next <= now) {
                (found, at) = (Some(next), next);
            }
            found
        })
    }

    /// Returns the moments at which a clock shows a time: none or two on the days on which it is changed.
    fn at(&self, date: Date, hour: i8, minute: i8) -> [Option<Timestamp>; 2] {
        let ambiguous = self.zone.to_ambiguous_timestamp(date.at(hour, minute, 0, 0));
        match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Gap { .. } => [None, None],
            _ => [ambiguous.earlier().ok(), ambiguous.later().ok()],
        }
    }
}

impl Fields {
    fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = parts.as_slice() else {
            return Err(format!("expected exactly 5 fields, found {}: [{text}]", parts.len()));
        };
        let [(minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday)] = [
            field(minutes, &RANGES[0])?,
            field(hours, &RANGES[1])?,
            field(days, &RANGES[2])?,
            field(months, &RANGES[3])?,
            field(weekdays, &RANGES[4])?,
        ];
        Ok(Self { minutes, hours, days, months, weekdays, any_day, any_weekday })
    }

    /// Says whether a day counts. When both kinds of days are restricted, either is enough.
    fn has_day(&self, date: Date) -> bool {
        let weekday = date.weekday().since(Weekday::Sunday);
        let (day, weekday) = (is_set(self.days, date.day()), is_set(self.weekdays, weekday));
        let is_day = if self.any_day || self.any_weekday { day && weekday } else { day || weekday };
        is_set(self.months, date.month()) && is_day
    }
}

fn is_set(bits: u64, at: i8) -> bool {
    bits & (1 << at) != 0
}

/// Reads a list of values, ranges and steps; says too whether it was `*`.
fn field(text: &str, range: &Range) -> Result<(u64, bool), String> {
    let mut bits = 0;
    let mut is_any = false;
    for part in text.split(',') {
        let wrong = |why: &str| format!("{} {part:?} of the schedule: {why}", range.name);
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(step.parse::<u32>().map_err(|_| wrong("the step is no number"))?)),
            None => (part, None),
        };
        let (first, last) = match span {
            "*" | "?" => (range.first, range.last),
            _ => {
                let read = |text: &str| number(text, range).ok_or_else(|| wrong("it is no value of this field"));
                match span.split_once('-') {
                    Some((first, last)) => (read(first)?, read(last)?),
                    // A step makes one value the beginning of a range.
                    None if step.is_some() => (read(span)?, range.last),
                    None => (read(span)?, read(span)?),
                }
            }
        };
        if first > last {
            return Err(wrong("the range ends before it begins"));
        }
        let step = match step {
            Some(0) => return Err(wrong("the step is zero")),
            step => step.unwrap_or(1),
        };
        is_any |= matches!(span, "*" | "?") && step == 1;
        for value in (first..=last).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            bits |= 1 << value;
        }
    }
    Ok((bits, is_any))
}

fn number(text: &str, range: &Range) -> Option<u32> {
    let word = text.to_ascii_lowercase();
    let named = range.words.iter().position(|known| *known == word).and_then(|at| u32::try_from(at).ok());
    let value = named.map(|at| at + range.first).or_else(|| text.parse().ok())?;
    (range.first..=range.last).contains(&value).then_some(value)
}

/// Reads `1h30m`; what is shorter than a second counts as one.
fn every(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("failed to parse duration @every {text}");
    let pause: SignedDuration = text.parse().map_err(|_| wrong())?;
    Ok(SignedDuration::from_secs(pause.as_secs().max(1)))
}

fn second(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(at.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::Schedule;

    /// Names the next two times after a moment.
    fn next(schedule: &str, zone: &str, after: &str) -> String {
        let schedule = Schedule::parse(schedule, TimeZone::get(zone).unwrap()).unwrap();
        let mut at: Timestamp = after.parse().unwrap();
        let mut found = Vec::new();
        for _ in 0..2 {
            let Some(next) = schedule.next(at) else { break };
            found.push(next.to_string());
            at = next;
        }
        found.join(" ")
    }

    #[test]
    fn the_next_times_of_a_schedule() {
        let at = "2026-01-30T10:20:30Z";
        for (schedule, wanted) in [
            ("* * * * *", "2026-01-30T10:21:00Z 2026-01-30T10:22:00Z"),
            ("30 2 * * *", "2026-01-31T02:30:00Z 2026-02-01T02:30:00Z"),
            ("*/15 * * * *", "2026-01-30T10:30:00Z 2026-01-30T10:45:00Z"),
            ("20/20 10-11 * * *", "2026-01-30T10:40:00Z 2026-01-30T11:20:00Z"),
            ("0 0,12 * * *", "2026-01-30T12:00:00Z 2026-01-31T00:00:00Z"),
            ("0 9 * * mon-FRI", "2026-02-02T09:00:00Z 2026-02-03T09:00:00Z"),
            ("0 0 31 * *", "2026-01-31T00:00:00Z 2026-03-31T00:00:00Z"),
            ("0 0 29 feb *", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z"),
            ("0 0 30 2 *", ""),
            // Either kind of day is enough when both are given, and `*/2` is given.
            ("0 0 1 * sun", "2026-02-01T00:00:00Z 2026-02-08T00:00:00Z"),
            ("0 0 */2 * sun", "2026-01-31T00:00:00Z 2026-02-01T00:00:00Z"),
            ("0 0 */1 * sun", "2026-02-01T00:00:00Z 2026-02-08T00:00:00Z"),
            ("0 0 ? * 6", "2026-01-31T00:00:00Z 2026-02-07T00:00:00Z"),
            ("@hourly", "2026-01-30T11:00:00Z 2026-01-30T12:00:00Z"),
            ("@daily", "2026-01-31T00:00:00Z 2026-02-01T00:00:00Z"),
            ("@weekly", "2026-02-01T00:00:00Z 2026-02-08T00:00:00Z"),
            ("@monthly", "2026-02-01T00:00:00Z 2026-03-01T00:00:00Z"),
            ("@yearly", "2027-01-01T00:00:00Z 2028-01-01T00:00:00Z"),
            ("@every 1h30m", "2026-01-30T11:50:30Z 2026-01-30T13:20:30Z"),
        ] {
            assert_eq!(next(schedule, "UTC", at), wanted, "{schedule}");
        }
    }

    #[test]
    fn a_time_that_the_clock_leaves_out_does_not_come() {
        let spring = "2026-03-28T12:00:00Z";
        assert_eq!(next("30 2 * * *", "Europe/Vienna", spring), "2026-03-30T00:30:00Z 2026-03-31T00:30:00Z");
        let autumn = "2026-10-25T00:10:00Z";
        assert_eq!(next("0 * * * *", "Europe/Vienna", autumn), "2026-10-25T01:00:00Z 2026-10-25T02:00:00Z");
    }

    #[test]
    fn what_is_no_schedule_is_named() {
        for (text, wanted) in [
            ("", "expected exactly 5 fields, found 0"),
            ("* * * *", "expected exactly 5 fields, found 4"),
            ("60 * * * *", "minute \"60\""),
            ("* * * * 7", "day of the week \"7\""),
            ("* * 0 * *", "day of the month \"0\""),
            ("*/0 * * * *", "the step is zero"),
            ("5-2 * * * *", "the range ends before it begins"),
            ("* * * mai *", "month \"mai\""),
            ("@sometimes", "unrecognized descriptor: @sometimes"),
            ("@every moon", "failed to parse duration"),
        ] {
            let error = Schedule::parse(text, TimeZone::UTC).unwrap_err();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_latest_time_is_found_however_long_ago_it_was() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let latest = |schedule: &str, since: &str| {
            let schedule = Schedule::parse(schedule, TimeZone::UTC).unwrap();
            schedule.latest(at(since), at("2026-05-20T10:20:30Z")).map(|time| time.to_string())
        };
        assert_eq!(latest("* * * * *", "2020-01-01T00:00:00Z").as_deref(), Some("2026-05-20T10:20:00Z"));
        assert_eq!(latest("0 0 1 * *", "2026-01-01T00:00:00Z").as_deref(), Some("2026-05-01T00:00:00Z"));
        assert_eq!(latest("0 0 1 * *", "2026-05-01T00:00:00Z"), None);
    }
}
