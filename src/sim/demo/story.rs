//! What happens in the demo by itself: somebody scales a Deployment by hand, and a cluster drops off for a while.

use std::time::Duration;

use http::Request;
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{BACK, DRIFT, UNREACHABLE};
use crate::sim::{Cluster, Fault};

/// Runs the story until it is over or stopped; a cluster that is off then comes back.
pub(super) async fn run(clusters: Vec<Cluster>, stop: CancellationToken) {
    let find = |name: &str| clusters.iter().find(|cluster| cluster.name() == name).cloned();
    let (Some(staging), Some(ops)) = (find("stag-01"), find("ops-01")) else { return };
    let start = Instant::now();
    let drift = async {
        sleep_until(start + DRIFT).await;
        // Before the first sync there is nothing to scale yet.
        while !scale(&staging, "shop", "storefront", 5).await {
            sleep(Duration::from_secs(2)).await;
        }
    };
    let outage = async {
        sleep_until(start + UNREACHABLE).await;
        ops.set_fault(Fault::Dead);
        sleep_until(start + BACK).await;
        ops.set_fault(Fault::None);
    };
    tokio::select! {
        _ = async { tokio::join!(drift, outage) } => {}
        () = stop.cancelled() => {
            if ops.fault() == Fault::Dead {
                ops.set_fault(Fault::None);
            }
        }
    }
}

/// Scales a Deployment as `kubectl scale` does; says whether it was there.
async fn scale(cluster: &Cluster, namespace: &str, name: &str, replicas: u32) -> bool {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale?fieldManager=kubectl");
    let request = Request::patch(path)
        .header(http::header::CONTENT_TYPE, "application/merge-patch+json")
        .body(format!("{{\"spec\":{{\"replicas\":{replicas}}}}}").into_bytes());
    let Ok(request) = request else { return true };
    cluster.client().request::<Value>(request).await.is_ok()
}
