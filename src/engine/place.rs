//! Where an application goes: its destination's cluster and that cluster's kubeconfig context.

use std::collections::BTreeMap;

use crate::cluster::Context;
use crate::model::{Application, ClusterName, Fleet};

/// What destinations are matched with.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Contexts of the kubeconfig.
    pub contexts: Vec<Context>,
    /// From the settings: destination's name or server → context.
    pub chosen: BTreeMap<String, String>,
    /// Name of the cluster that `in-cluster` means.
    pub control_plane: Option<String>,
}

const IN_CLUSTER: &str = "https://kubernetes.default.svc";

impl Places {
    /// Returns the name under which an application's cluster is shown, and its context if one matches. Nothing is guessed.
    pub fn locate(&self, app: &Application) -> (ClusterName, Option<String>) {
        let destination = &app.destination;
        let server = destination.server.trim_end_matches('/');
        let is_inside = server == IN_CLUSTER || destination.name == "in-cluster";
        if is_inside && let Some(name) = &self.control_plane {
            return (ClusterName::new(name.as_str()), self.context_named(name));
        }
        let label = app.label("cluster").unwrap_or_default();
        let by_server =
            self.contexts.iter().find(|context| !server.is_empty() && context.server.trim_end_matches('/') == server);
        let name = if !destination.name.is_empty() && !is_inside {
            destination.name.clone()
        } else if is_inside {
            "in-cluster".to_owned()
        } else if !label.is_empty() {
            label.to_owned()
        } else if let Some(context) = by_server {
            context.name.clone()
        } else {
            server.trim_start_matches("https://").to_owned()
        };
        let chosen =
            [destination.name.as_str(), server, name.as_str()].iter().find_map(|key| self.chosen.get(*key)).cloned();
        let context = chosen
            .or_else(|| by_server.map(|context| context.name.clone()))
            .or_else(|| if is_inside { None } else { self.context_named(&name) });
        (ClusterName::new(name), context)
    }

    fn context_named(&self, name: &str) -> Option<String> {
        self.contexts.iter().find(|context| context.name == name).map(|context| context.name.clone())
    }
}

/// Returns the cluster of an application that the fleet does not show yet.
pub fn cluster_of(app: &Application, fleet: &Fleet) -> ClusterName {
    let server = app.destination.server.trim_end_matches('/');
    let label = app.label("cluster");
    fleet
        .clusters
        .iter()
        .find(|cluster| {
            cluster.name.as_str() == app.destination.name
                || label == Some(cluster.name.as_str())
                || (!server.is_empty() && cluster.server.trim_end_matches('/') == server)
        })
        .map_or_else(|| ClusterName::new(app.destination.name.as_str()), |cluster| cluster.name.clone())
}

#[cfg(test)]
mod tests {
    use super::Places;
    use crate::cluster::Context;
    use crate::model::Application;

    #[test]
    fn destinations_are_matched_in_order_and_never_guessed() {
        let context =
            |name: &str, server: &str| Context { name: name.into(), server: server.into(), cluster: String::new() };
        let places = Places {
            contexts: vec![context("dev-01", "https://a:6443"), context("ops-01", "https://b:6443")],
            chosen: [("https://c".to_owned(), "ops-01".to_owned())].into(),
            control_plane: Some("ops-01".to_owned()),
        };
        for (name, server, label, cluster, found) in [
            ("dev-01", "", "", "dev-01", Some("dev-01")),
            ("", "https://a:6443/", "", "dev-01", Some("dev-01")),
            ("", "https://x.example", "dev-01", "dev-01", Some("dev-01")),
            ("", "https://x.example", "prod-01", "prod-01", None),
            ("", "https://c", "", "c", Some("ops-01")),
            ("", "https://kubernetes.default.svc", "", "ops-01", Some("ops-01")),
            ("nowhere", "", "", "nowhere", None),
        ] {
            let mut app = Application::default();
            app.destination.name = name.to_owned();
            app.destination.server = server.to_owned();
            if !label.is_empty() {
                app.labels = vec![("cluster".to_owned(), label.to_owned())];
            }
            let (shown, context) = places.locate(&app);
            assert_eq!((shown.as_str(), context.as_deref()), (cluster, found), "{name} {server} {label}");
        }
    }
}
