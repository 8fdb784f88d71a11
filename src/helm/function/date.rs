//! Dates and times. `Local` is UTC, wherever the render runs.

use std::any::Any;
use std::rc::Rc;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::argument::{function, int, text};
use super::duration::{Duration, argument};
use super::layout::Shown;
use super::layout_parse::{Zone, parse};
use super::method;
use crate::helm::state::State;
use crate::template::{Function, Host, Parameter, Structure, Value};

use Parameter::{Any as Anything, String as Text};

const TIME: Parameter = Parameter::Named("time.Time");

pub(super) static FUNCTIONS: &[Function] = &[
    function("ago", &[Anything], ago),
    function("date", &[Text, Anything], |host, args| date(host, "date", &text(&args[0]), &args[1], "Local")),
    function("dateInZone", &[Text, Anything, Text], |host, args| {
        date(host, "dateInZone", &text(&args[0]), &args[1], &text(&args[2]))
    }),
    function("dateModify", &[Text, TIME], |_, args| Ok(modify(args).unwrap_or_else(|_| args[1].clone()))),
    function("date_in_zone", &[Text, Anything, Text], |host, args| {
        date(host, "date_in_zone", &text(&args[0]), &args[1], &text(&args[2]))
    }),
    function("date_modify", &[Text, TIME], |_, args| Ok(modify(args).unwrap_or_else(|_| args[1].clone()))),
    function("durationRound", &[Anything], duration_round),
    function("htmlDate", &[Anything], |host, args| date(host, "htmlDate", HTML, &args[0], "Local")),
    function("htmlDateInZone", &[Anything, Text], |host, args| {
        date(host, "htmlDateInZone", HTML, &args[0], &text(&args[1]))
    }),
    function("mustDateModify", &[Text, TIME], |_, args| modify(args)),
    function("mustToDate", &[Text, Text], |_, args| Ok(read(&args[0], &args[1])?.value())),
    function("must_date_modify", &[Text, TIME], |_, args| modify(args)),
    function("now", &[], |host, _| Ok(now(host, "now").value())),
    function("toDate", &[Text, Text], |_, args| {
        Ok(read(&args[0], &args[1]).unwrap_or_else(|_| Moment::utc(zero())).value())
    }),
    function("unixEpoch", &[TIME], |_, args| {
        Ok(as_moment(&args[0]).map_or(0, |moment| moment.at.as_second()).to_string().into())
    }),
];

/// How dates are written in forms of web pages.
const HTML: &str = "2006-01-02";

/// Returns the first moment of the year 1, from which Go counts.
fn zero() -> Timestamp {
    Timestamp::constant(-62_135_596_800, 0)
}

/// A moment in a place.
#[derive(Clone, Debug)]
struct Moment {
    at: Timestamp,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Zone(TimeZone),
    /// Seconds east of Greenwich, and a name or nothing.
    Fixed(i32, String),
}

impl Moment {
    fn utc(at: Timestamp) -> Self {
        Self { at, place: Place::Zone(TimeZone::UTC) }
    }

    fn value(self) -> Value {
        Value::Structure(Rc::new(self))
    }

    /// Returns what clocks of the place show.
    fn shown(&self) -> Shown {
        let (offset, zone) = match &self.place {
            Place::Fixed(seconds, name) => (Offset::from_seconds(*seconds).unwrap_or(Offset::UTC), name.clone()),
            Place::Zone(zone) => {
                let info = zone.to_offset_info(self.at);
                (info.offset(), info.abbreviation().to_owned())
            }
        };
        Shown { time: offset.to_datetime(self.at), offset: offset.seconds(), zone }
    }

    /// Returns the moment in the same place when its clocks show something else.
    fn at_date(&self, date: Date, time: jiff::civil::Time) -> Option<Self> {
        let shown = date.to_datetime(time);
        let at = match &self.place {
            Place::Zone(zone) => zone.to_timestamp(shown).ok()?,
            Place::Fixed(seconds, _) => Offset::from_seconds(*seconds).ok()?.to_timestamp(shown).ok()?,
        };
        Some(Self { at, ..self.clone() })
    }

    fn plus(&self, span: Duration) -> Self {
        let at = self.at.saturating_add(SignedDuration::from_nanos(span.0)).unwrap_or(self.at);
        Self { at, ..self.clone() }
    }

    /// Returns how long after another moment this one is, as far as a span reaches.
    fn since(&self, other: Timestamp) -> Duration {
        let nanoseconds = self.at.as_nanosecond() - other.as_nanosecond();
        Duration(nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    /// Adds years, months and days; a day beyond the end of its month is one of the next.
    fn plus_date(&self, years: i64, months: i64, days: i64) -> Option<Self> {
        let shown = self.shown().time;
        let month = (i64::from(shown.year()) + years).checked_mul(12)? + i64::from(shown.month()) - 1 + months;
        let first = Date::new(month.div_euclid(12).try_into().ok()?, (month.rem_euclid(12) + 1) as i8, 1).ok()?;
        let days = days.checked_add(i64::from(shown.day()) - 1)?;
        let date = first.checked_add(SignedDuration::from_hours(days.checked_mul(24)?)).ok()?;
        self.at_date(date, shown.time())
    }

    /// Rounds by spans that are counted from the year 1.
    fn by_spans(&self, unit: Duration, is_rounded: bool) -> Self {
        if unit.0 <= 0 {
            return self.clone();
        }
        let unit = i128::from(unit.0);
        let rest = (self.at.as_nanosecond() - zero().as_nanosecond()).rem_euclid(unit);
        let change = if is_rounded && rest * 2 >= unit { unit - rest } else { -rest };
        self.plus(Duration(change as i64))
    }

    fn date_argument(&self, method: &str, args: &[Value]) -> Result<Value, String> {
        method::count(method, 3, args)?;
        if let Some(other) = args.iter().find(|arg| !matches!(arg, Value::Int(_))) {
            return Err(method::mismatch("int", other));
        }
        let moved = self.plus_date(int(&args[0]), int(&args[1]), int(&args[2]));
        moved.map(Self::value).ok_or_else(|| "the date is out of range".into())
    }

    fn with_other(&self, method: &str, args: &[Value]) -> Result<Value, String> {
        method::count(method, 1, args)?;
        let other = as_moment(&args[0]).ok_or_else(|| method::mismatch("time.Time", &args[0]))?;
        Ok(match method {
            "After" => (self.at > other.at).into(),
            "Before" => (self.at < other.at).into(),
            "Equal" => (self.at == other.at).into(),
            "Compare" => Value::Int(self.at.cmp(&other.at) as i64),
            _ => self.since(other.at).value(),
        })
    }

    fn property(&self, name: &str) -> Option<Value> {
        let shown = self.shown();
        let time = shown.time;
        Some(match name {
            "Day" => Value::Int(time.day().into()),
            "Hour" => Value::Int(time.hour().into()),
            "IsDST" => match &self.place {
                Place::Zone(zone) => zone.to_offset_info(self.at).dst().is_dst().into(),
                Place::Fixed(..) => false.into(),
            },
            "IsZero" => (self.at == zero()).into(),
            "Local" | "UTC" => Self::utc(self.at).value(),
            "Minute" => Value::Int(time.minute().into()),
            "Month" => Named::value("time.Month", time.month().into(), shown.month()),
            "Nanosecond" => Value::Int(time.subsec_nanosecond().into()),
            "Second" => Value::Int(time.second().into()),
            "String" => self.print().into(),
            "Unix" => Value::Int64(self.at.as_second()),
            "UnixMicro" => Value::Int64(self.at.as_microsecond()),
            "UnixMilli" => Value::Int64(self.at.as_millisecond()),
            "UnixNano" => Value::Int64(self.at.as_nanosecond() as i64),
            "Weekday" => {
                let day = time.weekday().to_sunday_zero_offset();
                Named::value("time.Weekday", day.into(), shown.weekday())
            }
            "Year" => Value::Int(time.year().into()),
            "YearDay" => Value::Int(time.day_of_year().into()),
            _ => return None,
        })
    }
}

impl Structure for Moment {
    fn type_name(&self) -> &str {
        "time.Time"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>> {
        Some(match method {
            "Add" => argument(method, args).map(|span| self.plus(span).value()),
            "AddDate" => self.date_argument(method, args),
            "After" | "Before" | "Compare" | "Equal" | "Sub" => self.with_other(method, args),
            "Format" => method::one_text(method, args).map(|layout| self.shown().format(&layout).into()),
            "Round" | "Truncate" => argument(method, args).map(|unit| self.by_spans(unit, method == "Round").value()),
            _ => {
                let property = self.property(method)?;
                method::none(method, args).map(|()| property)
            }
        })
    }

    fn print(&self) -> String {
        self.shown().format("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    fn plain(&self) -> Value {
        self.shown().format("2006-01-02T15:04:05.999999999Z07:00").into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A month or a day of the week: a number with a name.
#[derive(Debug)]
struct Named {
    type_name: &'static str,
    number: i64,
    name: &'static str,
}

impl Named {
    fn value(type_name: &'static str, number: i64, name: &'static str) -> Value {
        Value::Structure(Rc::new(Self { type_name, number, name }))
    }
}

impl Structure for Named {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn kind(&self) -> &'static str {
        "int"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>> {
        (method == "String").then(|| method::none(method, args).map(|()| self.name.into()))
    }

    fn print(&self) -> String {
        self.name.into()
    }

    fn plain(&self) -> Value {
        Value::Int(self.number)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn as_moment(value: &Value) -> Option<&Moment> {
    match value {
        Value::Structure(structure) => structure.as_any().downcast_ref(),
        _ => None,
    }
}

/// Returns the time of the render, and notes who asked for it.
fn now(host: &mut dyn Host, function: &'static str) -> Moment {
    State::note_random(host, function);
    Moment::utc(State::of(host).now)
}

/// Returns the moment that a value is; what is no time and no number of seconds is now.
fn moment(host: &mut dyn Host, function: &'static str, value: &Value) -> Moment {
    let seconds = match value {
        Value::Int(seconds) | Value::Int64(seconds) => Timestamp::from_second(*seconds).ok(),
        _ => None,
    };
    match (as_moment(value), seconds) {
        (Some(moment), _) => moment.clone(),
        (None, Some(at)) => Moment::utc(at),
        (None, None) => now(host, function),
    }
}

fn date(host: &mut dyn Host, function: &'static str, layout: &str, value: &Value, zone: &str) -> Result<Value, String> {
    let zone = match zone {
        "" | "Local" | "UTC" => TimeZone::UTC,
        // Names of zones are names of files in Go: capitals count.
        _ => TimeZone::get(zone).ok().filter(|found| found.iana_name() == Some(zone)).unwrap_or(TimeZone::UTC),
    };
    let moment = Moment { place: Place::Zone(zone), ..moment(host, function, value) };
    host.spend(layout.len())?;
    Ok(moment.shown().format(layout).into())
}

fn modify(args: &[Value]) -> Result<Value, String> {
    let span = Duration::parse(&text(&args[0]))?;
    let moment = as_moment(&args[1]).ok_or("not a time")?;
    Ok(moment.plus(span).value())
}

fn ago(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let now = now(host, "ago");
    let moment = moment(host, "ago", &args[0]);
    Ok(now.since(moment.at).rounded(Duration(1_000_000_000)).print().into())
}

fn read(layout: &Value, value: &Value) -> Result<Moment, String> {
    let (time, zone) = parse(&text(layout), &text(value))?;
    let (seconds, place) = match zone {
        Zone::Unsaid | Zone::Utc => (0, Place::Zone(TimeZone::UTC)),
        Zone::Fixed(seconds, name) => (seconds, Place::Fixed(seconds, name)),
    };
    let at = Offset::from_seconds(seconds).and_then(|offset| offset.to_timestamp(time));
    Ok(Moment { at: at.map_err(|_| "time zone offset out of range")?, place })
}

/// Returns a time of TOML; what one leaves out is that of the year 0, and a place that it leaves out has a name of its own.
pub(super) fn from_toml(time: &toml::value::Datetime) -> Value {
    let date = time.date.map_or((0, 1, 1), |date| (date.year as i16, date.month as i8, date.day as i8));
    let clock = time.time.unwrap_or(toml::value::Time { hour: 0, minute: 0, second: None, nanosecond: None });
    let place = match (time.offset, time.date, time.time) {
        (Some(toml::value::Offset::Z), ..) => Place::Zone(TimeZone::UTC),
        (Some(toml::value::Offset::Custom { minutes }), ..) => Place::Fixed(i32::from(minutes) * 60, String::new()),
        (None, None, _) => Place::Fixed(0, "time-local".into()),
        (None, _, None) => Place::Fixed(0, "date-local".into()),
        (None, ..) => Place::Fixed(0, "datetime-local".into()),
    };
    let moment = Moment { at: zero(), place };
    let date = Date::new(date.0, date.1, date.2);
    let time = jiff::civil::Time::new(
        clock.hour as i8,
        clock.minute as i8,
        clock.second.unwrap_or_default().min(59) as i8,
        clock.nanosecond.unwrap_or_default() as i32,
    );
    let shown = date.ok().zip(time.ok()).and_then(|(date, time)| moment.at_date(date, time));
    shown.unwrap_or(moment).value()
}

/// Returns the greatest unit that a span exceeds, and how many of them it has.
fn duration_round(host: &mut dyn Host, args: &[Value]) -> Result<Value, String> {
    let span = match &args[0] {
        Value::String(_) => Duration::parse(&text(&args[0])).unwrap_or(Duration(0)),
        Value::Int64(nanoseconds) => Duration(*nanoseconds),
        other => match as_moment(other) {
            Some(moment) => now(host, "durationRound").since(moment.at),
            None => Duration(0),
        },
    };
    const HOUR: u64 = 3_600_000_000_000;
    let units = [(HOUR * 24 * 365, "y"), (HOUR * 24 * 30, "mo"), (HOUR * 24, "d"), (HOUR, "h"), (HOUR / 60, "m")];
    let size = span.0.unsigned_abs();
    let units = units.into_iter().chain([(HOUR / 3600, "s")]);
    let fitting = units.into_iter().find(|(unit, _)| size > *unit);
    Ok(fitting.map_or_else(|| "0s".into(), |(unit, name)| format!("{}{name}", size / unit)).into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error, run};

    #[test]
    fn dates_are_written() {
        check(r#"{{ date "Mon Jan _2 15:04:05.000 MST 2006" 1700000000 }}"#, "Tue Nov 14 22:13:20.000 UTC 2023");
        check(r#"{{ dateInZone "15:04 MST" 1700000000 "Europe/Berlin" }}"#, "23:13 CET");
        check(r#"{{ date_in_zone "15:04 MST" (int64 1700000000) "No/Such" }}"#, "22:13 UTC");
        check(r#"{{ htmlDate 86400 }} {{ htmlDateInZone 0 "America/New_York" }}"#, "1970-01-02 1969-12-31");
        check(r#"{{ eq (date "2006" "x") (now.Format "2006") }}"#, "true");
    }

    #[test]
    fn dates_are_read_and_moved() {
        let check = |text: &str, expected: &str| {
            check(
                &format!(r#"{{{{ with toDate "2006-01-02" "2017-12-31" }}}}{{{{ {text} }}}}{{{{ end }}}}"#),
                expected,
            );
        };
        check(".", "2017-12-31 00:00:00 +0000 UTC");
        check("toJson .", r#""2017-12-31T00:00:00Z""#);
        check("unixEpoch .", "1514678400");
        check(r#"dateModify "-1.5h" . | date "2006-01-02 15:04""#, "2017-12-30 22:30");
        check(r#"date_modify "x" . | date "2006""#, "2017");
        check("(.AddDate 0 2 0).Format \"2006-01-02\"", "2018-03-03");
        check("printf \"%s %02d %v\" .Month .Month .Weekday", "December 12 Sunday");
        check(".Sub (.AddDate 0 0 -1)", "24h0m0s");
        check("(.Add 1500).Nanosecond", "1500");
        check(".Before (dateModify \"1s\" .)", "true");
        check("ago . | regexMatch \"^[0-9]+h\"", "true");
    }

    #[test]
    fn what_is_no_date_is_the_first_one_or_an_error() {
        check(r#"{{ toDate "2006" "x" }}"#, "0001-01-01 00:00:00 +0000 UTC");
        check_error(
            r#"{{ mustToDate "2006" "x" }}"#,
            r#"error calling mustToDate: parsing time "x" as "2006": cannot parse "x" as "2006""#,
        );
        check_error(r#"{{ mustDateModify "1" now }}"#, r#"time: missing unit in duration "1""#);
    }

    #[test]
    fn spans_are_rounded_to_their_greatest_unit() {
        check(
            r#"{{ durationRound "2h10m5s" }} {{ durationRound "2400h10m5s" }} {{ durationRound "1h" }}"#,
            "2h 3mo 60m",
        );
        check(r#"{{ durationRound 5 }} {{ durationRound "x" }} {{ durationRound (int64 61000000000) }}"#, "0s 0s 1m");
    }

    #[test]
    fn time_stands_still_during_a_render() {
        assert_eq!(run("{{ eq (now.UnixNano) (now.UnixNano) }}").as_deref(), Ok("true"));
    }
}
