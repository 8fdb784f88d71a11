//! Volume claims.

use super::{degraded, healthy, progressing};
use crate::model::{Health, HealthStatus, Object};

/// Judges a PersistentVolumeClaim.
pub fn claim(object: &Object) -> Health {
    match object.text("/status/phase") {
        "Lost" => degraded("its volume is lost"),
        "Pending" => progressing("it waits for a volume"),
        "Bound" => healthy(""),
        phase => Health::new(HealthStatus::Unknown, format!("its phase is {phase:?}")),
    }
}
