//! The history of the demo's repository: who changed what, how long ago, and which branch or tag came to lie there.

/// One commit.
pub(super) struct Step {
    /// How many minutes before the start.
    pub minutes_ago: i64,
    /// Who.
    pub author: &'static str,
    /// Subject line.
    pub subject: &'static str,
    /// What changes: path, text that has to be there, text that takes its place.
    pub edits: &'static [(&'static str, &'static str, &'static str)],
    /// References that name the commit.
    pub refs: &'static [&'static str],
}

const fn step(
    minutes_ago: i64,
    author: &'static str,
    subject: &'static str,
    edits: &'static [(&'static str, &'static str, &'static str)],
    refs: &'static [&'static str],
) -> Step {
    Step { minutes_ago, author, subject, edits, refs }
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// The commits, oldest first. The first one adds every file.
pub(super) const STEPS: [Step; 14] = [
    step(21 * DAY, "Ines Albers", "platform: charts of the shop and their app of apps", &[], &[]),
    step(
        20 * DAY,
        "Tomas Reyl",
        "ingress: a third replica in production",
        &[("charts/ingress/values.prod-01.yaml", "replicas: 2", "replicas: 3")],
        &["refs/tags/v1.0.0"],
    ),
    step(
        14 * DAY,
        "Mei Lindqvist",
        "checkout: 1.5.0, guests can buy without an account",
        &[("charts/checkout/values.yaml", "tag: 1.4.0", "tag: 1.5.0")],
        &[],
    ),
    step(
        13 * DAY,
        "Tomas Reyl",
        "redis: half a gigabyte in production",
        &[("charts/redis/values.prod-01.yaml", "384mb", "512mb")],
        &["refs/tags/v1.1.0"],
    ),
    step(
        6 * DAY,
        "Okello Banda",
        "payments: 1.6.2, declined cards are tried once more",
        &[
            ("charts/payments/values.yaml", "tag: 1.4.0", "tag: 1.6.2"),
            ("charts/payments/values.yaml", "  logLevel: info\n", "  logLevel: info\n  retryDeclined: once\n"),
        ],
        &[],
    ),
    step(
        5 * DAY,
        "Ines Albers",
        "catalog: four replicas in production for the sale",
        &[("charts/catalog/values.prod-01.yaml", "replicas: 3", "replicas: 4")],
        &["refs/tags/v1.2.0", "refs/tags/stable"],
    ),
    step(
        30 * HOUR,
        "Tomas Reyl",
        "log-agent: 0.10.0 and the kernel's log",
        &[
            ("charts/log-agent/values.yaml", "tag: 0.9.2", "tag: 0.10.0"),
            ("charts/log-agent/values.yaml", "  - audit\n", "  - audit\n  - kernel\n"),
        ],
        &[],
    ),
    step(
        27 * HOUR,
        "Mei Lindqvist",
        "storefront: 2.0.0 with the new cart",
        &[
            ("charts/storefront/values.yaml", "tag: 1.4.0", "tag: 2.0.0"),
            ("charts/storefront/values.yaml", "requestTimeout: 10s", "requestTimeout: 5s\n  newCart: \"true\""),
        ],
        &[],
    ),
    step(
        3 * HOUR,
        "Okello Banda",
        "nightly-report: run it in staging as well",
        &[("charts/app-of-apps/values.stag-01.yaml", "enabled: false", "enabled: true")],
        &["refs/heads/staging"],
    ),
    step(
        2 * HOUR,
        "Mei Lindqvist",
        "checkout: 1.6.0, one page instead of four",
        &[("charts/checkout/values.yaml", "tag: 1.5.0", "tag: 1.6.0")],
        &[],
    ),
    step(
        95,
        "Okello Banda",
        "payments: 1.7.0-rc.1 in dev",
        &[("charts/payments/values.dev-01.yaml", "replicas: 1\n", "replicas: 1\nimage:\n  tag: 1.7.0-rc.1\n")],
        &[],
    ),
    step(
        70,
        "Ines Albers",
        "platform-config: express shipping can be chosen",
        &[("charts/platform-config/values.yaml", "  - guest-checkout\n", "  - guest-checkout\n  - express-shipping\n")],
        &[],
    ),
    step(
        40,
        "Tomas Reyl",
        "redis: 8.2.2 closes a hole in scripting",
        &[("charts/redis/values.yaml", "redis:8.2.1", "redis:8.2.2")],
        &[],
    ),
    step(
        12,
        "Mei Lindqvist",
        "search: dev leaves the old index",
        &[("charts/search/values.dev-01.yaml", "  url: http://index.dev-01.example.com:9200\n", "  url: \"\"\n")],
        &["refs/heads/master"],
    ),
];
