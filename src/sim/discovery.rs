//! What the cluster says about itself: version, health, groups, resources, and a minimal OpenAPI.

use std::sync::Arc;

use http::{Method, Response};
use serde_json::{Map, Value, json};

use super::cluster::{Body, Inner};
use super::handler::{self, Call, answer_as};
use super::resource::{Registry, ResourceType};
use super::status::Status;

/// Answers a request that is about no object; `None` if it is about one.
pub fn answer(inner: &Arc<Inner>, call: &Call, steps: &[&str]) -> Option<Result<Response<Body>, Status>> {
    reply(inner, call, steps).map(
        |reply| {
            if call.method == Method::GET { reply } else { Err(Status::method_not_allowed()) }
        },
    )
}

fn reply(inner: &Arc<Inner>, call: &Call, steps: &[&str]) -> Option<Result<Response<Body>, Status>> {
    let registry = || inner.lock().registry.clone();
    let json = |value: Value| Some(Ok(answer_json(&value)));
    match steps {
        ["version"] => json(version(&inner.options.version)),
        ["healthz" | "readyz" | "livez", ..] => Some(Ok(answer_as(200, "text/plain; charset=utf-8", "ok"))),
        [] => json(
            json!({"paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]}),
        ),
        ["api"] if aggregated(call) => Some(Ok(aggregated_answer(&registry(), true))),
        ["apis"] if aggregated(call) => Some(Ok(aggregated_answer(&registry(), false))),
        ["api"] => json(json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
        })),
        ["apis"] => {
            let groups: Vec<Value> = registry()
                .groups()
                .iter()
                .filter(|(group, _)| !group.is_empty())
                .map(|(group, versions)| api_group(group, versions))
                .collect();
            json(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        ["apis", group] => match registry().groups().iter().find(|(name, _)| name == group) {
            Some((name, versions)) => {
                let mut value = api_group(name, versions);
                value["kind"] = json!("APIGroup");
                value["apiVersion"] = json!("v1");
                json(value)
            }
            None => Some(Err(Status::no_resource())),
        },
        ["api", version] => Some(resource_list(&registry(), "", version)),
        ["apis", group, version] => Some(resource_list(&registry(), group, version)),
        ["openapi", "v2"] => json(json!({
            "swagger": "2.0", "info": {"title": "Kubernetes", "version": format!("v{}", inner.options.version)},
            "paths": {}, "definitions": {},
        })),
        ["openapi", "v3"] => {
            let mut paths = Map::new();
            for (group, versions) in registry().groups() {
                for version in versions {
                    let path =
                        if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
                    paths.insert(path.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{path}")}));
                }
            }
            json(json!({"paths": paths}))
        }
        ["openapi", "v3", "api", version] => json(openapi(&registry(), "", version)),
        ["openapi", "v3", "apis", group, version] => json(openapi(&registry(), group, version)),
        _ => None,
    }
}

fn answer_json(value: &Value) -> Response<Body> {
    handler::answer(200, value)
}

fn version(version: &str) -> Value {
    let mut parts = version.split('.');
    json!({
        "major": parts.next().unwrap_or("1"), "minor": parts.next().unwrap_or("0"), "gitVersion": format!("v{version}"),
        "gitCommit": "simulated", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.25.0", "compiler": "gc", "platform": "linux/amd64",
    })
}

fn aggregated(call: &Call) -> bool {
    call.accept
        .split(',')
        .any(|part| part.contains("as=APIGroupDiscoveryList") && part.split(';').any(|word| word.trim() == "v=v2"))
}

fn aggregated_answer(registry: &Registry, core: bool) -> Response<Body> {
    let mut items = Vec::new();
    for (group, versions) in registry.groups().iter().filter(|(group, _)| group.is_empty() == core) {
        let versions: Vec<Value> = versions
            .iter()
            .map(|version| {
                let resources: Vec<Value> =
                    served(registry, group, version).map(|ty| aggregated_resource(ty, version)).collect();
                json!({"version": version, "freshness": "Current", "resources": resources})
            })
            .collect();
        let metadata =
            if core { json!({"creationTimestamp": null}) } else { json!({"name": group, "creationTimestamp": null}) };
        items.push(json!({"metadata": metadata, "versions": versions}));
    }
    let list = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    answer_as(200, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", list.to_string())
}

fn served<'a>(registry: &'a Registry, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Arc<ResourceType>> {
    registry.iter().filter(move |ty| ty.group == group && ty.versions.iter().any(|known| known == version))
}

fn aggregated_resource(ty: &ResourceType, version: &str) -> Value {
    let mut subresources = Vec::new();
    for (name, group, version, kind, verbs) in subresources_of(ty, version) {
        subresources.push(json!({
            "subresource": name, "responseKind": {"group": group, "version": version, "kind": kind}, "verbs": verbs,
        }));
    }
    let mut value = json!({
        "resource": ty.plural, "singularResource": ty.singular, "verbs": ty.verbs(),
        "scope": if ty.namespaced { "Namespaced" } else { "Cluster" },
        "responseKind": {"group": ty.group, "version": version, "kind": ty.kind},
    });
    for (name, list) in [("shortNames", &ty.short), ("categories", &ty.categories)] {
        if !list.is_empty() {
            value[name] = json!(list);
        }
    }
    if !subresources.is_empty() {
        value["subresources"] = json!(subresources);
    }
    value
}

type Subresource<'a> = (&'static str, &'a str, &'a str, &'a str, &'static [&'static str]);

fn subresources_of<'a>(ty: &'a ResourceType, version: &'a str) -> Vec<Subresource<'a>> {
    let mut list: Vec<Subresource<'a>> = Vec::new();
    if ty.status {
        list.push(("status", &ty.group, version, &ty.kind, &["get", "patch", "update"]));
    }
    if ty.scale.is_some() {
        list.push(("scale", "autoscaling", "v1", "Scale", &["get", "patch", "update"]));
    }
    if ty.is("", "pods") {
        list.push(("log", "", "v1", "Pod", &["get"]));
        list.push(("eviction", "policy", "v1", "Eviction", &["create"]));
    }
    if ty.is("", "namespaces") {
        list.push(("finalize", "", "v1", "Namespace", &["update"]));
    }
    list
}

fn api_group(group: &str, versions: &[String]) -> Value {
    let list: Vec<Value> = versions
        .iter()
        .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    json!({"name": group, "versions": list, "preferredVersion": list.first()})
}

fn resource_list(registry: &Registry, group: &str, version: &str) -> Result<Response<Body>, Status> {
    let mut resources = Vec::new();
    for ty in served(registry, group, version) {
        let mut value = json!({
            "name": ty.plural, "singularName": ty.singular, "namespaced": ty.namespaced, "kind": ty.kind,
            "verbs": ty.verbs(),
        });
        for (name, list) in [("shortNames", &ty.short), ("categories", &ty.categories)] {
            if !list.is_empty() {
                value[name] = json!(list);
            }
        }
        resources.push(value);
        for (name, group, version, kind, verbs) in subresources_of(ty, version) {
            let mut value = json!({
                "name": format!("{}/{name}", ty.plural), "singularName": "", "namespaced": ty.namespaced, "kind": kind,
                "verbs": verbs,
            });
            if group != ty.group {
                value["group"] = json!(group);
                value["version"] = json!(version);
            }
            resources.push(value);
        }
    }
    if resources.is_empty() {
        return Err(Status::no_resource());
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let list = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources,
    });
    Ok(handler::answer(200, &list))
}

/// Returns just so much of an OpenAPI v3 document that clients learn what a patch may ask: dry run and field validation.
fn openapi(registry: &Registry, group: &str, version: &str) -> Value {
    let prefix = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let parameter =
        |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    for ty in served(registry, group, version) {
        let scope = if ty.namespaced { "/namespaces/{namespace}" } else { "" };
        let gvk = json!({"group": group, "version": version, "kind": ty.kind});
        let operation = |action: &str| {
            json!({
                "x-kubernetes-action": action, "x-kubernetes-group-version-kind": gvk,
                "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")],
                "responses": {"200": {"description": "OK"}},
            })
        };
        paths.insert(
            format!("{prefix}{scope}/{}/{{name}}", ty.plural),
            json!({"get": operation("get"), "put": operation("put"), "patch": operation("patch"), "delete": operation("delete")}),
        );
        paths.insert(
            format!("{prefix}{scope}/{}", ty.plural),
            json!({"get": operation("list"), "post": operation("post")}),
        );
        let custom = ty.custom.as_ref().and_then(|schemas| schemas.get(version)).cloned();
        let mut schema = custom.filter(Value::is_object).unwrap_or_else(|| json!({"type": "object"}));
        schema["x-kubernetes-group-version-kind"] = json!([gvk]);
        let name = if group.is_empty() { "core" } else { group };
        schemas.insert(format!("{name}.{version}.{}", ty.kind), schema);
    }
    json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "simulated"}, "paths": paths,
        "components": {"schemas": schemas},
    })
}
