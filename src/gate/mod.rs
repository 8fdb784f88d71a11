//! What has to hold before a plan may run: freezes, soak, protection, limits.

use jiff::Timestamp;

use crate::model::{Condition, Gate, GatePolicy};

/// What is known when a plan is judged.
#[derive(Clone, Debug, Default)]
pub struct Facts<'a> {
    /// The environment that would change; empty if none.
    pub environment: &'a str,
    /// Its policy.
    pub policy: GatePolicy,
    /// Whether the whole program is read-only.
    pub read_only: bool,
    /// Whether it only asks the servers.
    pub dry_run: bool,
    /// The environment it is promoted from, for promotions.
    pub from: Option<Source<'a>>,
    /// Number of objects that would be deleted.
    pub deletions: usize,
    /// Applications of the plan that must not be synced, with the condition that says why.
    pub blocked: Vec<(&'a str, &'a Condition)>,
    /// Whether nothing in the plan is left to do because of those.
    pub nothing_left: bool,
    /// Now.
    pub now: Timestamp,
}

/// The environment before, as a promotion sees it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name.
    pub name: &'a str,
    /// Since when every application in it is Synced and Healthy; `None` if they are not.
    pub healthy_since: Option<Timestamp>,
    /// Applications in it that are not Synced and Healthy.
    pub unhealthy: usize,
}

/// Judges a plan. Every gate that applies is listed, open or closed, each with its reason.
pub fn check(facts: &Facts<'_>) -> Vec<Gate> {
    let mut gates = Vec::new();
    let mut gate = |name: &str, open: bool, reason: String| gates.push(Gate { name: name.to_owned(), open, reason });
    let (policy, environment) = (&facts.policy, facts.environment);
    if facts.read_only {
        gate("read-only", facts.dry_run, "quarterdeck runs read-only; start it without --read-only".to_owned());
    } else if policy.read_only {
        gate("read-only", facts.dry_run, format!("{environment} is read-only in the settings"));
    }
    if let Some(reason) = &policy.frozen {
        gate("freeze", facts.dry_run, format!("{environment} is frozen: {reason}"));
    }
    if let Some(from) = facts.from {
        if policy.require_healthy {
            let open = from.healthy_since.is_some();
            let reason = if open {
                format!("every application in {} is Synced and Healthy", from.name)
            } else {
                not_healthy(from.unhealthy, from.name)
            };
            gate("healthy", open, reason);
        }
        if policy.soak_seconds > 0 {
            let needed = i64::try_from(policy.soak_seconds).unwrap_or(i64::MAX);
            let (open, reason) = match from.healthy_since {
                Some(since) => {
                    let soaked = facts.now.as_second().saturating_sub(since.as_second()).max(0);
                    if soaked >= needed {
                        (true, format!("{} is healthy for {}, {} needed", from.name, span(soaked), span(needed)))
                    } else {
                        let left = span(needed - soaked);
                        (
                            false,
                            format!(
                                "{} is healthy for {} of {}; opens in {left}",
                                from.name,
                                span(soaked),
                                span(needed)
                            ),
                        )
                    }
                }
                None => (false, format!("{} has to be healthy for {} first", from.name, span(needed))),
            };
            gate("soak", open, reason);
        }
    }
    if let Some(most) = policy.max_deletions {
        let open = facts.dry_run || facts.deletions <= most;
        gate("deletions", open, format!("{} objects would be deleted, at most {most} are allowed", facts.deletions));
    }
    for (app, condition) in &facts.blocked {
        let first = condition.message.lines().next().unwrap_or_default();
        let reason = format!("{app} is left alone: {}: {first}", condition.kind.as_str());
        gate("renders", !facts.nothing_left, reason);
    }
    if policy.protected {
        gate("protected", true, format!("{environment} is protected: its name has to be typed"));
    }
    gates
}

fn not_healthy(count: usize, environment: &str) -> String {
    match count {
        1 => format!("1 application in {environment} is not Synced and Healthy"),
        _ => format!("{count} applications in {environment} are not Synced and Healthy"),
    }
}

/// Writes seconds as people do: `2d 3h`, `1h 30m`, `45s`.
fn span(seconds: i64) -> String {
    let parts = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
    let mut rest = seconds;
    let mut out: Vec<String> = Vec::new();
    for (size, unit) in parts {
        if rest >= size && out.len() < 2 {
            out.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out.join(" ") }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Facts, Source, check};
    use crate::model::{Condition, ConditionKind, GatePolicy};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn gates_say_why() {
        fn run(facts: &Facts<'_>, name: &str, open: bool, reason: &str) {
            let gates = check(facts);
            let gate = gates.iter().find(|gate| gate.name == name).unwrap();
            assert_eq!((gate.open, gate.reason.as_str()), (open, reason));
        }
        let policy = GatePolicy::default;
        let facts = |policy: GatePolicy| Facts { environment: "prod", policy, now: at(10_000), ..Facts::default() };
        let healthy = |since: Option<i64>| Source {
            name: "staging",
            healthy_since: since.map(at),
            unhealthy: usize::from(since.is_none()),
        };
        assert!(check(&facts(policy())).is_empty());
        let frozen = facts(GatePolicy { frozen: Some("holidays".into()), ..policy() });
        run(&frozen, "freeze", false, "prod is frozen: holidays");
        run(&Facts { dry_run: true, ..frozen }, "freeze", true, "prod is frozen: holidays");
        run(
            &facts(GatePolicy { read_only: true, ..policy() }),
            "read-only",
            false,
            "prod is read-only in the settings",
        );
        let soak = GatePolicy { soak_seconds: 3600, require_healthy: true, ..policy() };
        let short = Facts { from: Some(healthy(Some(8200))), ..facts(soak.clone()) };
        run(&short, "soak", false, "staging is healthy for 30m of 1h; opens in 30m");
        run(&short, "healthy", true, "every application in staging is Synced and Healthy");
        let long = Facts { from: Some(healthy(Some(0))), ..facts(soak.clone()) };
        run(&long, "soak", true, "staging is healthy for 2h 46m, 1h needed");
        let ill = Facts { from: Some(healthy(None)), ..facts(soak) };
        run(&ill, "healthy", false, "1 application in staging is not Synced and Healthy");
        run(&ill, "soak", false, "staging has to be healthy for 1h first");
        let limit = Facts { deletions: 4, ..facts(GatePolicy { max_deletions: Some(3), ..policy() }) };
        run(&limit, "deletions", false, "4 objects would be deleted, at most 3 are allowed");
        let condition = Condition::new(ConditionKind::InvalidSpecError, "null\nmore");
        let blocked = Facts { blocked: vec![("web", &condition)], nothing_left: true, ..facts(policy()) };
        run(&blocked, "renders", false, "web is left alone: InvalidSpecError: null");
        run(
            &facts(GatePolicy { protected: true, ..policy() }),
            "protected",
            true,
            "prod is protected: its name has to be typed",
        );
    }
}
