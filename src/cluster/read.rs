//! Reading objects, events and logs.

use serde_json::Value;

use super::discovery::{ResourceType, escape, get};
use super::{Connection, Error, ErrorKind};
use crate::model::Object;

/// Objects of one page.
const PAGE: usize = 500;
/// Most pages of one list; a server that never ends is cut off.
const MOST_PAGES: usize = 2_000;

/// A whole list and the version that a watch goes on from.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The objects.
    pub objects: Vec<Object>,
    /// The list's resource version.
    pub resource_version: String,
}

impl Connection {
    /// Returns one object, `None` if it is not there.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub async fn get(&self, resource: &ResourceType, namespace: &str, name: &str) -> Result<Option<Object>, Error> {
        let path = resource.path(namespace, name);
        match self.read(|| get(&path, "application/json")).await {
            Ok(value) => Ok(Object::new(value)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns all objects of a kind, page by page; empty `namespace` means all, `selector` is a label selector.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub async fn list(&self, resource: &ResourceType, namespace: &str, selector: &str) -> Result<Page, Error> {
        let query = if selector.is_empty() { String::new() } else { format!("&labelSelector={}", escape(selector)) };
        self.list_pages(resource, namespace, &query).await
    }

    /// Returns the events about one object, oldest first.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub async fn events(&self, events: &ResourceType, about: &Object) -> Result<Vec<Object>, Error> {
        let mut query = format!("involvedObject.name={},involvedObject.kind={}", about.name(), about.kind());
        if !about.uid().is_empty() {
            query.push_str(&format!(",involvedObject.uid={}", about.uid()));
        }
        let mut found =
            self.list_pages(events, about.namespace(), &format!("&fieldSelector={}", escape(&query))).await?.objects;
        found.sort_by_cached_key(|event| {
            let last = event.text("/lastTimestamp");
            if last.is_empty() { event.text("/eventTime").to_owned() } else { last.to_owned() }
        });
        Ok(found)
    }

    /// Returns the last lines of a container's log.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    pub async fn log(&self, namespace: &str, pod: &str, container: &str, lines: usize) -> Result<String, Error> {
        let container = if container.is_empty() { String::new() } else { format!("&container={}", escape(container)) };
        let path =
            format!("/api/v1/namespaces/{}/pods/{}/log?tailLines={lines}{container}", escape(namespace), escape(pod));
        self.send_for_text(get(&path, "*/*")?).await
    }

    async fn list_pages(&self, resource: &ResourceType, namespace: &str, query: &str) -> Result<Page, Error> {
        let mut page = Page::default();
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let path = format!(
                "{}?limit={PAGE}{query}{}",
                resource.path(namespace, ""),
                if next.is_empty() { String::new() } else { format!("&continue={}", escape(&next)) }
            );
            let mut answer = match self.read(|| get(&path, "application/json")).await {
                // The rest of the list has expired: start over.
                Err(error) if error.kind() == ErrorKind::Gone && !next.is_empty() => {
                    page.objects.clear();
                    next.clear();
                    continue;
                }
                answer => answer?,
            };
            let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            page.resource_version = text("/metadata/resourceVersion");
            next = text("/metadata/continue");
            if let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take) {
                page.objects.extend(items.into_iter().filter_map(|item| whole(item, resource)));
            }
            if next.is_empty() {
                return Ok(page);
            }
        }
        Err(Error::new(ErrorKind::Other, format!("the list of {} does not end", resource.plural)))
    }
}

/// Adds the kind and version that items of a list leave out.
fn whole(mut item: Value, resource: &ResourceType) -> Option<Object> {
    let map = item.as_object_mut()?;
    map.entry("apiVersion").or_insert_with(|| Value::String(resource.gvk.api_version()));
    map.entry("kind").or_insert_with(|| Value::String(resource.gvk.kind.to_string()));
    Object::new(item)
}
