//! What the functions of one render share besides values.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::options::Lookup;
use super::profile::Profile;
use crate::template::Host;

/// Clock, profile and remarks of one render.
#[derive(Debug)]
pub(super) struct State {
    /// Which helm is reproduced.
    pub profile: Profile,
    /// The time that `now` tells: the same during one render.
    pub now: Timestamp,
    /// What `lookup` asks.
    pub lookup: Option<Arc<dyn Lookup>>,
    /// What helm would say on the side.
    pub warnings: Vec<String>,
    /// Functions that were called and give something else every time.
    pub nondeterministic: BTreeSet<&'static str>,
}

impl State {
    pub fn new(profile: Profile) -> Self {
        State { profile, now: Timestamp::now(), lookup: None, warnings: Vec::new(), nondeterministic: BTreeSet::new() }
    }

    /// Returns the state of the render that calls a function.
    pub fn of(host: &mut dyn Host) -> &mut State {
        host.state().downcast_mut().expect("helm's functions only run in renders, which own a State")
    }

    /// Notes that a function which never gives the same twice was called.
    pub fn note_random(host: &mut dyn Host, function: &'static str) {
        Self::of(host).nondeterministic.insert(function);
    }
}
