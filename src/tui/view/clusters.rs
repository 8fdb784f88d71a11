//! Clusters: connections, what is watched, and what went wrong last, in words.

use ratatui::layout::Rect;

use super::fleet::connection;
use super::frame::plural;
use super::pen::{Pen, Text, nth_row, split_top, wrap};
use crate::model::{Cluster, Connection};
use crate::tui::age;
use crate::tui::sign::Sign;
use crate::tui::state::State;
use crate::tui::theme::Ink;

/// Lines above the list.
pub const HEAD: usize = 1;
/// The lines about the selected cluster.
const DETAIL: usize = 7;

/// Returns how many clusters fit into a body.
pub fn rows(body: usize) -> usize {
    body.saturating_sub(HEAD + if body > 2 * DETAIL { DETAIL } else { 0 })
}

/// Draws the screen.
pub fn draw(pen: &mut Pen, area: Rect, state: &State) {
    let clusters = &state.fleet.clusters;
    let (head, rest) = split_top(area, HEAD);
    let (list, detail) = split_top(rest, rows(usize::from(area.height)));
    let height = usize::from(list.height);
    let mut cursor = state.cursors.clusters;
    cursor.follow(clusters.len(), height);
    let longest = clusters.iter().map(|cluster| cluster.name.as_str().chars().count()).max().unwrap_or(0);
    let wide = area.width >= 110;
    let name = (longest + 2).clamp(10, 28);
    heads(pen, head, name, wide);
    if clusters.is_empty() {
        let mut text = pen.text();
        text.space(2).add(Ink::Dim, "No Application names a cluster yet");
        pen.line(list, 1, &text);
    }
    for (row, cluster) in clusters.iter().enumerate().skip(cursor.top).take(height) {
        let Some(line) = nth_row(list, row - cursor.top) else { break };
        if row == cursor.at {
            pen.tint(line, Ink::Selected);
        }
        let text = cluster_row(pen, state, cluster, name, wide);
        pen.line(line, 0, &text);
    }
    if let Some(cluster) = clusters.get(cursor.at).filter(|_| detail.height > 0) {
        about(pen, detail, state, cluster);
    }
}

fn heads(pen: &mut Pen, area: Rect, name: usize, wide: bool) {
    let mut text = pen.text();
    text.space(2).column(Ink::Heading, "NAME", name).column(Ink::Heading, "CONNECTION", 14);
    text.column(Ink::Heading, "VERSION", 10).right(Ink::Heading, "APPS", 5).right(Ink::Heading, "OBJECTS", 9).space(2);
    if wide {
        text.right(Ink::Heading, "KINDS", 6).space(2).column(Ink::Heading, "P50/P99", 12);
        text.right(Ink::Heading, "ERRORS", 6).space(2).column(Ink::Heading, "CONTEXT", 20);
    }
    text.add(Ink::Heading, "SERVER");
    pen.line(area, 0, &text);
}

fn cluster_row(pen: &Pen, state: &State, cluster: &Cluster, name: usize, wide: bool) -> Text {
    let mut text = pen.text();
    let (ink, words) = match cluster.connection {
        Connection::Degraded(_) => (Ink::Warn, "degraded".to_owned()),
        _ => connection(state, cluster),
    };
    let sign = match cluster.connection {
        Connection::Live => Sign::Healthy,
        Connection::Connecting => Sign::Progressing,
        Connection::Degraded(_) => Sign::Degraded,
        Connection::Lost { .. } | Connection::NoContext => Sign::Unknown,
    };
    text.space(2).column(Ink::Text, cluster.name.as_str(), name - 1).space(1);
    text.sign(sign).space(1).column(ink, &words, 11).space(1);
    text.column(Ink::Text, &cluster.version, 9).space(1);
    let apps: usize = state.lists.tallies.of(&cluster.name).map(|(_, count)| count).sum();
    text.right(Ink::Text, &apps.to_string(), 5).right(Ink::Text, &known(cluster, cluster.objects), 9).space(2);
    if wide {
        text.right(Ink::Dim, &known(cluster, cluster.kinds), 6).space(2);
        text.column(Ink::Dim, &latency(cluster), 12);
        let ink = if cluster.errors > 0 { Ink::Warn } else { Ink::Dim };
        text.right(ink, &cluster.errors.to_string(), 6).space(2);
        text.column(Ink::Dim, cluster.context.as_deref().unwrap_or("none"), 19).space(1);
    }
    text.add(Ink::Dim, host(&cluster.server));
    text
}

/// A figure that only a contact gives; zero is never drawn for what is not known.
fn known(cluster: &Cluster, figure: usize) -> String {
    if cluster.last_contact.is_some() { figure.to_string() } else { "?".to_owned() }
}

fn latency(cluster: &Cluster) -> String {
    cluster.latency.map_or_else(|| "?".to_owned(), |(median, high)| format!("{median}/{high} ms"))
}

/// Returns the host of a URL, without credentials and path.
fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or(rest);
    rest.rsplit_once('@').map_or(rest, |(_, host)| host)
}

fn about(pen: &mut Pen, area: Rect, state: &State, cluster: &Cluster) {
    pen.rule(area, 0);
    let mut row = 1;
    let mut say = |pen: &mut Pen, label: &str, ink: Ink, words: &str| {
        let lines = wrap(words, usize::from(area.width).saturating_sub(16));
        for (at, words) in lines.iter().take(2).enumerate() {
            let mut text = pen.text();
            text.space(2).column(Ink::Dim, if at == 0 { label } else { "" }, 13).add(ink, words);
            pen.line(area, row, &text);
            row += 1;
        }
    };
    if let Connection::Lost { reason, .. } | Connection::Degraded(reason) = &cluster.connection {
        say(pen, "why", Ink::Bad, reason);
    }
    if let Some(environment) = cluster.environment.as_ref().and_then(|name| state.fleet.environment(name)) {
        let reference = environment.reference.as_str();
        say(pen, "environment", Ink::Text, &format!("{} follows {reference}", environment.name));
    }
    if let Some(contact) = cluster.last_contact {
        let words = format!("{} ago", age::short(state.now, contact));
        say(pen, "last answer", Ink::Text, &words);
    }
    if let Some(retry) = cluster.retry_at.filter(|retry| *retry > state.now) {
        say(pen, "next try", Ink::Text, &format!("in {}", age::short(retry, state.now)));
    }
    let count = usize::try_from(cluster.errors).unwrap_or(usize::MAX);
    if let Some(error) = &cluster.last_error {
        say(pen, plural(count, "error", "last error"), Ink::Warn, error);
    }
    let context = cluster.context.as_deref().unwrap_or("none in the kubeconfig matches this server");
    say(pen, "context", Ink::Text, context);
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_server_is_shown_by_its_host() {
        for (server, expected) in [
            ("https://10.0.0.1:6443", "10.0.0.1:6443"),
            ("https://user:secret@api.example.com/k8s/x", "api.example.com"),
            ("", ""),
        ] {
            assert_eq!(host(server), expected);
        }
    }
}
