//! Asking the server whether an object that looks different really is: a dry run of the apply.

use std::sync::Arc;

use crate::cluster::{ApplyOptions, Connection, Discovery, ErrorKind};
use crate::diff::{self, Ignore};
use crate::model::{AppId, Application, Key, Object};

use super::assess::{Verdict, ownership};
use super::desired::Desired;

/// One object to ask about.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// Whose it is.
    pub app: AppId,
    /// What Git wants.
    pub desired: Desired,
    /// What is live.
    pub live: Arc<Object>,
}

/// What asking brought.
#[derive(Debug)]
pub struct Answer {
    /// The object.
    pub key: Key,
    /// The verdict; on a refusal the local one stands, with the server's words.
    pub verdict: Verdict,
    /// Why the server refuses the object, if it does.
    pub refusal: Option<String>,
}

/// Asks about one object. `None` if the cluster did not answer; then the local verdict stands for now.
pub async fn confirm(api: &Connection, discovery: &Discovery, app: &Application, doubt: &Doubt) -> Option<Answer> {
    let (desired, live) = (&doubt.desired, &doubt.live);
    let (ignore, _) = Ignore::for_object(&app.ignore_differences, &desired.object);
    let options = diff::Options { ignore: (!ignore.is_empty()).then_some(&ignore), ownership: ownership(app) };
    let local = diff::compare(&desired.object, live, &options);
    let answer = |fields, refusal| Answer {
        key: desired.key.clone(),
        verdict: Verdict {
            hash: desired.hash,
            resource_version: live.resource_version().to_owned(),
            fields,
            is_certain: true,
        },
        refusal,
    };
    let Some(resource) = discovery.find(&desired.object.gvk()) else { return Some(answer(local.fields, None)) };
    match api.apply(resource, &desired.object, ApplyOptions { dry_run: true }).await {
        Ok(predicted) => {
            let sure = diff::confirm(&desired.object, live, &predicted, &options);
            Some(answer(sure.fields, None))
        }
        Err(error) if error.is_passing() => None,
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Unauthorized) => {
            Some(answer(local.fields, None))
        }
        Err(error) => Some(answer(local.fields, Some(error.to_string()))),
    }
}
