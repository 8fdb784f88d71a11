//! Times for people: ages, durations and clock times, short enough for a column.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Returns how long ago, in one or two characters and a unit: `8s`, `4m`, `3h`, `12d`.
pub fn short(now: Timestamp, then: Timestamp) -> String {
    duration(now.as_second() - then.as_second())
}

/// Returns a duration in seconds with its largest unit.
pub fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..=59 => format!("{seconds}s"),
        60..=3_599 => format!("{}m", seconds / 60),
        3_600..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Returns the clock time in a zone: `12:04:31`.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Returns day and time in a zone: `Mar 04 12:04`.
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%b %d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_short() {
        for (seconds, expected) in [(-5, "0s"), (59, "59s"), (61, "1m"), (7_300, "2h"), (260_000, "3d")] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
