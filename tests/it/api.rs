//! What the engine relies on in an API server. Each check works in a namespace of its own, so that any server can be asked.

use std::time::Duration;

use http::Request;
use kube::Client;
use quarterdeck::cluster::{ApplyOptions, Connection, Discovery, ErrorKind, Propagation, ResourceType, WatchEvent};
use quarterdeck::model::{Gk, Object};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const REAL: ApplyOptions = ApplyOptions { dry_run: false };
const DRY: ApplyOptions = ApplyOptions { dry_run: true };

/// A server and a namespace to work in.
pub(crate) struct Server {
    connection: Connection,
    client: Client,
    discovery: Discovery,
    namespace: String,
}

impl Server {
    /// Connects and makes the namespace.
    pub(crate) async fn new(client: Client, namespace: &str) -> Self {
        let connection = Connection::from_client(client.clone(), "server");
        let discovery = connection.discover().await.unwrap();
        let server = Self { connection, client, discovery, namespace: namespace.to_owned() };
        let wanted = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        server.connection.apply(server.kind("", "Namespace"), &object(wanted), REAL).await.unwrap();
        server
    }

    fn kind(&self, group: &str, kind: &str) -> &ResourceType {
        self.discovery.find_gk(&Gk { group: group.into(), kind: kind.into() }).unwrap()
    }

    fn kind_of(&self, object: &Object) -> &ResourceType {
        self.discovery.find(&object.gvk()).unwrap()
    }

    /// Gives an object a name and the namespace.
    fn named(&self, mut wanted: Value, name: &str) -> Object {
        wanted["metadata"]["name"] = json!(name);
        wanted["metadata"]["namespace"] = json!(self.namespace);
        object(wanted)
    }

    async fn apply(&self, wanted: &Object) -> Object {
        self.connection.apply(self.kind_of(wanted), wanted, REAL).await.unwrap()
    }

    async fn get(&self, like: &Object) -> Option<Object> {
        self.connection.get(self.kind_of(like), &self.namespace, like.name()).await.unwrap()
    }

    /// Changes an object as somebody else does.
    async fn patch(&self, like: &Object, content: &str, query: &str, body: &Value) -> Result<Value, kube::Error> {
        let path = self.kind_of(like).path(&self.namespace, like.name());
        let request = Request::patch(format!("{path}?{query}")).header("content-type", content);
        self.client.request(request.body(serde_json::to_vec(body).unwrap()).unwrap()).await
    }

    /// Waits until an object is as wanted; `None` stands for one that is gone.
    async fn until(&self, like: &Object, is_there: impl Fn(Option<&Object>) -> bool) -> Option<Object> {
        for _ in 0..300 {
            let live = self.get(like).await;
            if is_there(live.as_ref()) {
                return live;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{} did not come to be as wanted: {:?}", like.name(), self.get(like).await);
    }
}

fn object(value: Value) -> Object {
    Object::new(value).unwrap()
}

fn settings(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data})
}

fn web(replicas: u32, env: &[(&str, &str)]) -> Value {
    let env: Vec<Value> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1", "env": env}]},
            },
        },
    })
}

pub(crate) async fn apply_creates_updates_and_leaves_alone(server: &Server) {
    let first = server.apply(&server.named(settings(json!({"a": "1", "b": "1"})), "plain")).await;
    assert_eq!(first.value()["data"], json!({"a": "1", "b": "1"}));
    let again = server.apply(&server.named(settings(json!({"a": "1", "b": "1"})), "plain")).await;
    assert_eq!(again.resource_version(), first.resource_version(), "what changes nothing is no new version");
    let changed = server.apply(&server.named(settings(json!({"a": "2"})), "plain")).await;
    assert_ne!(changed.resource_version(), first.resource_version());
    assert_eq!(changed.value()["data"], json!({"a": "2"}), "what we owned and no longer name goes");
    assert_eq!(changed.uid(), first.uid());
}

pub(crate) async fn dry_run_changes_nothing(server: &Server) {
    let wanted = server.named(settings(json!({"a": "1"})), "dry");
    let answer = server.connection.apply(server.kind("", "ConfigMap"), &wanted, DRY).await.unwrap();
    assert_eq!(answer.value()["data"], json!({"a": "1"}));
    assert!(server.get(&wanted).await.is_none());
    let live = server.apply(&wanted).await;
    let other = server.named(settings(json!({"a": "2"})), "dry");
    let answer = server.connection.apply(server.kind("", "ConfigMap"), &other, DRY).await.unwrap();
    assert_eq!(answer.value()["data"], json!({"a": "2"}));
    server.connection.delete(server.kind("", "ConfigMap"), &live, Propagation::Background, DRY).await.unwrap();
    let after = server.get(&wanted).await.unwrap();
    assert_eq!((after.resource_version(), &after.value()["data"]), (live.resource_version(), &json!({"a": "1"})));
}

pub(crate) async fn two_owners_conflict_unless_forced(server: &Server) {
    const APPLY: &str = "application/apply-patch+yaml";
    let wanted = server.apply(&server.named(settings(json!({"a": "ours"})), "shared")).await;
    let theirs = |data: Value| server.named(settings(data), "shared").into_value();
    let error = server.patch(&wanted, APPLY, "fieldManager=them", &theirs(json!({"a": "theirs"}))).await.unwrap_err();
    let kube::Error::Api(status) = error else { panic!("{error}") };
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(status.message.contains("\"quarterdeck\"") && status.message.contains(".data.a"), "{}", status.message);
    // The same value is shared, another field is theirs.
    server.patch(&wanted, APPLY, "fieldManager=them", &theirs(json!({"a": "ours", "b": "theirs"}))).await.unwrap();
    let kept = server.apply(&server.named(settings(json!({})), "shared")).await;
    assert_eq!(kept.value()["data"], json!({"a": "ours", "b": "theirs"}), "what another owns stays");
    server.patch(&wanted, APPLY, "fieldManager=them&force=true", &theirs(json!({"a": "new"}))).await.unwrap();
    let live = server.get(&wanted).await.unwrap();
    assert_eq!(live.value()["data"], json!({"a": "new"}));
    let forced = server.apply(&server.named(settings(json!({"a": "back"})), "shared")).await;
    assert_eq!(forced.value()["data"], json!({"a": "back"}), "the engine takes fields over");
}

pub(crate) async fn lists_merge_by_their_keys(server: &Server) {
    let wanted = server.named(web(0, &[("A", "1"), ("B", "2")]), "merged");
    server.apply(&wanted).await;
    let sidecar = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "web", "env": [{"name": "C", "value": "3"}]},
        {"name": "sidecar", "image": "registry.example.com/sidecar:1"},
    ]}}}});
    let strategic = "application/strategic-merge-patch+json";
    server.patch(&wanted, strategic, "fieldManager=kubectl-edit", &sidecar).await.unwrap();
    let live = server.apply(&server.named(web(0, &[("A", "1"), ("B", "9")]), "merged")).await;
    let containers = live.value()["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    let mut names: Vec<&str> = containers.iter().map(|container| container["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["sidecar", "web"]);
    let env = containers.iter().find(|container| container["name"] == "web").unwrap()["env"].as_array().unwrap();
    let mut pairs: Vec<(&str, &str)> =
        env.iter().map(|item| (item["name"].as_str().unwrap(), item["value"].as_str().unwrap())).collect();
    pairs.sort_unstable();
    assert_eq!(pairs, [("A", "1"), ("B", "9"), ("C", "3")]);
}

pub(crate) async fn what_was_applied_by_a_client_is_taken_over(server: &Server) {
    let wanted = server.named(settings(json!({"a": "1", "old": "1"})), "taken");
    let path = server.kind("", "ConfigMap").path(&server.namespace, "");
    let mut body = wanted.clone().into_value();
    body["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
    let request = Request::post(format!("{path}?fieldManager=kubectl-client-side-apply"))
        .header("content-type", "application/json")
        .body(serde_json::to_vec(&body).unwrap());
    let live = object(server.client.request::<Value>(request.unwrap()).await.unwrap());
    assert!(server.connection.take_over(server.kind("", "ConfigMap"), &live).await.unwrap());
    let after = server.apply(&server.named(settings(json!({"a": "1"})), "taken")).await;
    assert_eq!(after.value()["data"], json!({"a": "1"}));
    assert!(after.annotation("kubectl.kubernetes.io/last-applied-configuration").is_none());
}

pub(crate) async fn a_watch_sees_changes_in_order(server: &Server) {
    let (out, mut events) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let watching = server.connection.clone().watch(server.kind("", "ConfigMap").clone(), out, stop.clone());
    let work = async {
        let mut seen = Vec::new();
        let own = |object: &Object| object.namespace() == server.namespace && object.name().starts_with("seen");
        loop {
            match tokio::time::timeout(Duration::from_secs(20), events.recv()).await.unwrap().unwrap() {
                WatchEvent::Restarted(objects) => {
                    assert!(!objects.iter().any(own));
                    for (name, value) in [("seen-a", "1"), ("seen-b", "1"), ("seen-a", "2")] {
                        server.apply(&server.named(settings(json!({"v": value})), name)).await;
                    }
                    let live = server.get(&server.named(settings(json!({})), "seen-b")).await.unwrap();
                    let kind = server.kind("", "ConfigMap");
                    server.connection.delete(kind, &live, Propagation::Background, REAL).await.unwrap();
                }
                WatchEvent::Applied(object) if own(&object) => {
                    seen.push(format!("{} {}", object.name(), object.text("/data/v")));
                }
                WatchEvent::Deleted(object) if own(&object) => {
                    seen.push(format!("{} gone", object.name()));
                    break;
                }
                WatchEvent::Failed { error, .. } => panic!("{error}"),
                _ => {}
            }
        }
        stop.cancel();
        seen
    };
    let ((), seen) = tokio::join!(watching, work);
    assert_eq!(seen, ["seen-a 1", "seen-b 1", "seen-a 2", "seen-b gone"]);
}

pub(crate) async fn a_finalizer_holds_an_object(server: &Server) {
    let mut wanted = settings(json!({"a": "1"}));
    wanted["metadata"]["finalizers"] = json!(["quarterdeck.dev/wait"]);
    let live = server.apply(&server.named(wanted, "held")).await;
    let kind = server.kind("", "ConfigMap");
    server.connection.delete(kind, &live, Propagation::Background, REAL).await.unwrap();
    let going = server.get(&live).await.unwrap();
    assert!(going.is_being_deleted());
    let remove = json!([{"op": "remove", "path": "/metadata/finalizers"}]);
    server.connection.patch_json(kind, &going, &remove).await.unwrap();
    server.until(&live, |live| live.is_none()).await;
}

pub(crate) async fn deleting_needs_the_object_that_was_seen(server: &Server) {
    let live = server.apply(&server.named(settings(json!({})), "reborn")).await;
    let kind = server.kind("", "ConfigMap");
    server.connection.delete(kind, &live, Propagation::Background, REAL).await.unwrap();
    server.connection.delete(kind, &live, Propagation::Background, REAL).await.unwrap();
    let second = server.apply(&server.named(settings(json!({})), "reborn")).await;
    assert_ne!(second.uid(), live.uid());
    let error = server.connection.delete(kind, &live, Propagation::Background, REAL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}

pub(crate) async fn what_an_owner_made_goes_with_it(server: &Server) {
    let owner = server.apply(&server.named(settings(json!({})), "owner")).await;
    let mut owned = settings(json!({}));
    owned["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid()}]);
    let owned = server.apply(&server.named(owned, "owned")).await;
    server.connection.delete(server.kind("", "ConfigMap"), &owner, Propagation::Background, REAL).await.unwrap();
    server.until(&owned, |live| live.is_none()).await;
}

pub(crate) async fn a_namespace_takes_its_content_along(server: &Server) {
    let inside = server.apply(&server.named(settings(json!({})), "inside")).await;
    let kind = server.kind("", "Namespace");
    let namespace = server.connection.get(kind, "", &server.namespace).await.unwrap().unwrap();
    server.connection.delete(kind, &namespace, Propagation::Background, REAL).await.unwrap();
    server.until(&inside, |live| live.is_none()).await;
    let error =
        server.connection.apply(server.kind("", "ConfigMap"), &server.named(settings(json!({})), "late"), REAL).await;
    // It is either still going (403) or gone (404).
    assert!(matches!(error.unwrap_err().kind(), ErrorKind::Forbidden | ErrorKind::NotFound));
}

pub(crate) async fn invalid_objects_are_refused(server: &Server) {
    let mut wrong = web(1, &[]);
    wrong["spec"]["replicas"] = json!("many");
    let wrong = server.named(wrong, "wrong");
    let error = server.connection.apply(server.kind("apps", "Deployment"), &wrong, DRY).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Other), "{error}");
    let mut apart = web(1, &[]);
    apart["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
    let error = server.connection.apply(server.kind("apps", "Deployment"), &server.named(apart, "apart"), DRY).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
    assert!(server.get(&wrong).await.is_none());
}

/// Needs controllers and nodes.
pub(crate) async fn a_deployment_becomes_healthy(server: &Server) {
    let wanted = server.apply(&server.named(web(2, &[]), "web")).await;
    let healthy = |live: Option<&Object>| {
        live.and_then(quarterdeck::health::assess)
            .is_some_and(|found| found.status == quarterdeck::model::HealthStatus::Healthy)
    };
    assert!(!healthy(Some(&wanted)));
    let live = server.until(&wanted, healthy).await.unwrap();
    assert_eq!(live.value()["status"]["readyReplicas"], 2);
}

/// Runs every check on one server, each in a namespace of its own.
pub(crate) async fn all(client: Client) {
    macro_rules! run {
        ($($check:ident),+ $(,)?) => {$({
            let namespace = format!("check-{}", stringify!($check).replace('_', "-"));
            println!("{namespace}");
            $check(&Server::new(client.clone(), &namespace).await).await;
        })+};
    }
    run!(
        apply_creates_updates_and_leaves_alone,
        dry_run_changes_nothing,
        two_owners_conflict_unless_forced,
        lists_merge_by_their_keys,
        what_was_applied_by_a_client_is_taken_over,
        a_watch_sees_changes_in_order,
        a_finalizer_holds_an_object,
        deleting_needs_the_object_that_was_seen,
        what_an_owner_made_goes_with_it,
        a_namespace_takes_its_content_along,
        invalid_objects_are_refused,
        a_deployment_becomes_healthy,
    );
}
