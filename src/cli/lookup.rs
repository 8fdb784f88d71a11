//! `lookup` in charts, answered by a cluster.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::cluster::{Connection, Discovery, Error, Kubeconfig};
use crate::helm::Lookup;
use crate::model::{Gvk, Problem};

/// Longest wait for one answer, lists of many pages included.
const LONGEST: Duration = Duration::from_secs(60);

/// A cluster that is only read.
#[derive(Debug)]
pub struct Cluster {
    runtime: Runtime,
    connection: Connection,
    discovery: Discovery,
}

impl Cluster {
    /// Connects to a context, and asks which kinds there are.
    ///
    /// # Errors
    /// When the context is unknown, or the cluster does not answer.
    pub fn connect(kubeconfig: &Kubeconfig, context: &str) -> Result<Arc<Self>, Problem> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Problem::new(format!("the program cannot start its threads: {error}")))?;
        let reached = runtime.block_on(async {
            let connection = Connection::connect(kubeconfig, context).await?;
            let discovery = connection.discover().await?;
            Ok::<_, Error>((connection, discovery))
        });
        match reached {
            Ok((connection, discovery)) => Ok(Arc::new(Self { runtime, connection, discovery })),
            Err(error) => {
                runtime.shutdown_background();
                Err(Problem::new(format!("context {context:?}: {error}"))
                    .hint("without a cluster, `lookup` finds nothing"))
            }
        }
    }

    /// Returns what the cluster offers.
    pub fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    async fn read(&self, gvk: &Gvk, namespace: &str, name: &str) -> Result<Map<String, Value>, String> {
        let Some(resource) = self.discovery.find(gvk) else {
            return Err(format!(
                "{} in {} is no kind of the cluster {}",
                gvk.kind,
                gvk.api_version(),
                self.connection.name()
            ));
        };
        let found = if name.is_empty() {
            let page = self.connection.list(resource, namespace, "").await.map_err(|error| error.to_string())?;
            let items: Vec<Value> = page.objects.into_iter().map(|object| object.value().clone()).collect();
            json!({
                "apiVersion": gvk.api_version(),
                "kind": format!("{}List", gvk.kind),
                "metadata": {"resourceVersion": page.resource_version},
                "items": items,
            })
        } else {
            let object = self.connection.get(resource, namespace, name).await.map_err(|error| error.to_string())?;
            object.map_or_else(|| json!({}), |object| object.value().clone())
        };
        Ok(found.as_object().cloned().unwrap_or_default())
    }
}

impl Lookup for Cluster {
    fn find(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Map<String, Value>, String> {
        let gvk = Gvk::from_api_version(api_version, kind);
        self.runtime.block_on(async {
            tokio::time::timeout(LONGEST, self.read(&gvk, namespace, name))
                .await
                .unwrap_or_else(|_| Err(format!("the cluster {} has not answered for 60 s", self.connection.name())))
        })
    }
}
