//! Times in words.

use keybearer_model::time::Timestamp;

/// How long ago `then` was, in the words of a person; a time that lies ahead is "just now".
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0..45 => "just now".to_owned(),
        45..3_570 => count((seconds + 30) / 60, "minute"),
        3_570..84_600 => count((seconds + 1_800) / 3_600, "hour"),
        84_600..2_592_000 => count((seconds + 43_200) / 86_400, "day"),
        _ => format!("on {}", date(then)),
    }
}

/// The same for a time that the wire carries as RFC 3339; text that is no time is not shown.
pub(crate) fn ago_text(then: &str, now: Timestamp) -> Option<String> {
    parse(then).map(|then| ago(then, now))
}

/// A length of time as short as can be read: `3 ms`, `1.2 s`, `2 min`.
pub(crate) fn span(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min", (millis + 30_000) / 60_000),
    }
}

/// Hour, minute and second of an RFC 3339 time, with its day if that is not today's (both in UTC).
pub(crate) fn moment(time: &str, now: Timestamp) -> String {
    let Some(then) = parse(time) else { return "unknown time".to_owned() };
    let text = then.to_string();
    let (day, clock) = (date(then), text.get(11..19).unwrap_or_default());
    if day == date(now) { clock.to_owned() } else { format!("{day} {clock}") }
}

fn parse(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp::from_millis(time.as_millisecond()))
}

fn date(time: Timestamp) -> String {
    time.to_string().get(..10).unwrap_or_default().to_owned()
}

fn count(number: u64, unit: &str) -> String {
    if number == 1 { format!("1 {unit} ago") } else { format!("{number} {unit}s ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_says_it_like_that() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let words = |seconds: u64| ago(now - std::time::Duration::from_secs(seconds), now);
        assert_eq!(words(3), "just now");
        assert_eq!(words(60), "1 minute ago");
        assert_eq!(words(59 * 60), "59 minutes ago");
        assert_eq!(words(60 * 60), "1 hour ago");
        assert_eq!(words(24 * 3_600), "1 day ago");
        assert_eq!(words(90 * 24 * 3_600), "on 2023-08-16");
        assert_eq!(ago(now + std::time::Duration::from_secs(90), now), "just now");
        assert_eq!(ago_text("2023-11-14T22:00:00Z", now).as_deref(), Some("13 minutes ago"));
        assert_eq!(ago_text("yesterday", now), None);
    }

    #[test]
    fn moments_name_the_day_only_when_it_matters() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        assert_eq!(moment("2023-11-14T09:05:07.123Z", now), "09:05:07");
        assert_eq!(moment("2023-11-13T09:05:07Z", now), "2023-11-13 09:05:07");
        assert_eq!((span(12), span(1_250), span(119_000)), ("12 ms".into(), "1.2 s".into(), "2 min".into()));
    }
}
